//! Joining and custody where something goes wrong: real programs that are killed, raced, copied and lost.

mod copies;
mod kills;
mod lost;

use color_eyre::eyre::{Result, eyre};
use serde_json::Value;

/// A text inside an answer.
fn text<'v>(value: &'v Value, path: &str) -> Result<&'v str> {
    value.pointer(path).and_then(Value::as_str).ok_or_else(|| eyre!("no text at {path} in {value}"))
}

/// A list inside an answer.
fn list<'v>(value: &'v Value, path: &str) -> Result<&'v Vec<Value>> {
    value.pointer(path).and_then(Value::as_array).ok_or_else(|| eyre!("no list at {path} in {value}"))
}
