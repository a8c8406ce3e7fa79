//! The rules of the house, read from its text: sources, docs and features.

mod architecture;
mod compliance_documented;
mod features;
mod limits_documented;
mod safety;
