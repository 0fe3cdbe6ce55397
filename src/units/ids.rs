//! Typed identities. Each is an index into the vector that owns the thing, except orders, which are numbered by time.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(pub $inner);

        impl $name {
            /// Returns the id as an index of the owning vector.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(/// A thing that balances are kept in: BTC, USDT.
    AssetId(u16));
id!(/// A rule book with accounts, a fund and markets.
    VenueId(u16));
id!(/// One order book.
    MarketId(u16));
id!(/// One account at one venue.
    AccountId(u32));
id!(/// One decision rule; it may own many accounts.
    AgentId(u32));
id!(/// One order; numbered in the order of submission over the whole run and never reused.
    OrderId(u64));
