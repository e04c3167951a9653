//! Real programs are killed outright, at named points and at random, while money moves; nothing is lost, nothing doubled.

mod points;
mod release;
