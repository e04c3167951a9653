//! What a cashier's terminal and the store's serving program say to each other, on the store's own line.
//!
//! A cashier has no account: the store's owner certifies its terminal key ([`crate::payload::CashierChange`]). It reaches
//! the store with a [`StoreLine`], asks to be certified with a [`CashierRequest`], and then calls with [`TillRequest`]s
//! in [`crate::shop::StoreRequest::Till`]; each gets one [`TillAnswer`]. The first is [`TillRequest::Login`]; whatever
//! comes before it is refused. The serving program looks at the rights anew at every request. Variants are only ever
//! appended.
//!
//! | module | holds |
//! |---|---|
//! | `line` | [`StoreLine`]: where the store's counter is and under which key |
//! | `cashier` | [`CashierRequest`], and what a login signs |
//! | `code` | [`PickUpCode`]: how a buyer names a sale that a cashier made |
//! | `message` | requests, answers and refusals |

mod cashier;
mod code;
mod line;
mod message;

pub use cashier::{CashierRequest, CashierRequestError, login_message};
pub use code::{PickUpCode, PickUpCodeError};
pub use line::{StoreLine, StoreLineError};
pub use message::{
    Right, Standing, TillAnswer, TillDay, TillDetail, TillOrder, TillOutcome, TillRefusal, TillRequest,
    TillSale, TillShare, TillVerdict, TillWelcome,
};
