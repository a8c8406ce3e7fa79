//! Layer 5: TLS 1.2 and 1.3 by rustls, as a [`Transport`](crate::net::Transport) of
//! the loop.
//!
//! ```no_run
//! use barewire::app::App;
//! use barewire::tls::Certificates;
//!
//! # fn main() -> Result<(), barewire::net::Error> {
//! App::new()
//!     .get("/", |_request, reply| reply.text("hello"))
//!     .listen("[::]:80")?
//!     .listen_tls("[::]:443", Certificates::read("chain.pem", "key.pem")?)?
//!     .run()
//! # }
//! ```
//!
//! A client trusts the roots of the system, or those that it is given:
//!
//! ```no_run
//! use barewire::client::{CallOptions, Channel, GrpcChannelOptions};
//! use barewire::tls::{Client, ClientOptions, Roots};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let tls = Client::new(ClientOptions::new().root_certs(Roots::read("our-ca.pem")?))?;
//! let options = GrpcChannelOptions::new().tls(tls);
//! let channel = Channel::connect_with("https://localhost:8443", options)?;
//! let said = channel.unary::<Vec<u8>, Vec<u8>>("/t.T/Echo", &Vec::new(), CallOptions::new())?;
//! # Ok(())
//! # }
//! ```
//!
//! # The parts
//!
//! - `session`: one connection. The only file that names those of rustls.
//! - `alert`: alerts that rustls has otherwise than the standards.
//! - `contained`: panics of rustls, which end one connection.
//! - `transport`: that, as the loop takes it: what was agreed on, and what is kept;
//!   `dialled`: that of a client.
//! - `server`: what a server's connections begin with, and how it is replaced; `sessions`:
//!   those that it keeps for clients without tickets.
//! - `client`: what a client's connections begin with; `verify`: its look at the
//!   server's certificates; `failure`: why it has no connection.
//! - `certificates`: chains and keys, from PEM or DER.
//! - `clients`: which clients are let in by their certificates.
//! - `names`: which certificate a client gets.
//! - `plain`: what a request gets that comes without TLS.
//! - `info`: what is known of a connection, for who serves its requests.
//! - `roots`: whom one trusts; `revocation`: what is trusted no more.
//! - `provider`: whose cryptography it is.

mod alert;
mod certificates;
mod client;
mod clients;
mod contained;
mod dialled;
mod error;
mod failure;
mod info;
mod names;
mod output;
mod plain;
mod provider;
mod revocation;
mod roots;
mod server;
mod session;
mod sessions;
mod transport;
mod verify;

pub use certificates::Certificates;
pub use client::{Client, ClientOptions};
pub use clients::ClientCertificates;
pub use error::Error;
pub use failure::{ConnectionError, Fault};
pub use info::{Info, Version};
pub use names::UnknownName;
pub use plain::PlainHttp;
pub use provider::Provider;
pub use revocation::Crls;
pub use roots::Roots;
pub use server::{Server, ServerOptions};
