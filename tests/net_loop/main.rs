//! The whole loop, deterministic: a scripted system, a virtual clock, and a
//! peer that says exactly what it is told to.
#![cfg(feature = "net")]

mod backpressure;
mod context;
mod dialling;
mod drain;
mod endings;
mod exchanges;
mod files;
mod limits;
mod panics;
mod scene;
mod splits;
mod turns;
