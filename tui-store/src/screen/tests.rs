//! The screens on a stage: what is seen from fixed states, and what keys ask for.

mod cashiers;
mod custody;
mod fixture;
mod joining;
mod money;
mod seen;
