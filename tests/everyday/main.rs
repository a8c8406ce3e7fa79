//! Everyday work of a server: what its routes take and give, what stands in front of it, and
//! what its process lives through.
#![cfg(feature = "net")]

#[path = "../app_support/mod.rs"]
mod app_support;

mod access;
mod auth;
mod bounded;
#[cfg(feature = "codegen")]
mod codegen;
mod conditional;
mod cookies;
#[cfg(all(feature = "forms", feature = "json"))]
mod extract;
#[cfg(all(feature = "http", feature = "client"))]
mod http_types;
mod life;
mod multipart;
mod proxies;
mod rate;
mod routes;
mod smoke;
mod tasks;
#[cfg(feature = "test")]
mod testkit;
#[cfg(feature = "tracing")]
mod tracing;
#[cfg(feature = "test")]
mod writing;
