//! Channels: how they are set up, and the calls that block.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use core::hash::{BuildHasher, Hasher};
use std::hash::RandomState;
use std::io;
use std::sync::mpsc;
use std::thread;

use super::driver::Driver;
use super::pending::Pending;
use super::shared::{Clock, Shared};
use super::{
    CallOptions, CallResponse, Calls, Channel, ChannelLimits, Duplex, Ending, Requests, Responses,
};
use crate::client::connecting::{Dialler, Security, Target};
use crate::grpc::Payload;
use crate::net::{self, Destination, Error, Loop, Poller, Remote, TransportMaker};

/// How a channel is set up.
#[derive(Debug, Clone, Default)]
pub struct ChannelOptions {
    limits: ChannelLimits,
    agent: Option<String>,
    authority: Option<String>,
    security: Security,
}

impl ChannelOptions {
    /// [`ChannelLimits::DEFAULT`], and nothing else.
    pub const fn new() -> Self {
        Self {
            limits: ChannelLimits::DEFAULT,
            agent: None,
            authority: None,
            security: Security::new(),
        }
    }

    /// Sets the limits.
    #[must_use]
    pub fn with_limits(mut self, limits: ChannelLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Puts the application's own name, such as `greeter/1.0`, in front of the
    /// user agent.
    #[must_use]
    pub fn with_agent(mut self, name: &str) -> Self {
        self.agent = Some(name.into());
        self
    }

    /// Names the server otherwise than by where it is reached. Over TLS its
    /// certificate has to be for this name.
    #[must_use]
    pub fn with_authority(mut self, authority: &str) -> Self {
        self.authority = Some(authority.into());
        self
    }

    /// Connects over TLS as this client does. Targets without a scheme, `host:port` and
    /// `unix:path`, are reached over TLS then.
    ///
    /// ```no_run
    /// use barewire::client::{Channel, ChannelOptions};
    /// use barewire::tls::{Certificates, Client, ClientOptions, Roots};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let tls = ClientOptions::new()
    ///     .root_certs(Roots::read("our-ca.pem")?)
    ///     .client_cert(Certificates::read("me.pem", "my-key.pem")?);
    /// let options = ChannelOptions::new().with_tls(Client::new(tls)?);
    /// let channel = Channel::connect_with("https://example.org:50051", options)?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn with_tls(mut self, tls: crate::tls::Client) -> Self {
        self.security = Security::with(tls);
        self
    }
}

/// Where a channel goes: what its target and its options say together.
struct Place {
    destination: Destination,
    authority: String,
    over: Option<TransportMaker>,
}

impl Place {
    fn new(text: &str, options: &ChannelOptions) -> Result<Self, Error> {
        let target = Target::parse(text)?;
        let authority = options.authority.as_ref().unwrap_or(&target.authority);
        let authority = authority.clone();
        let security = options.security.clone();
        Ok(Self {
            over: security.over(text, &target, &authority)?,
            destination: target.destination,
            authority,
        })
    }
}

impl Channel {
    /// A channel to `https://host:port`, `http://host:port`, `host:port` or `unix:path`,
    /// on a loop and a thread of its own. It does not wait for the connection.
    ///
    /// `https` goes over TLS (feature `tls`), by default with the roots of the system:
    /// those are read for each such channel, so that a program with many gives them
    /// the same client (`ChannelOptions::with_tls`). The server has to agree on `h2` by
    /// ALPN.
    ///
    /// # Errors
    /// [`Error::Target`] for a text that names no server, [`Error::Io`] if the
    /// system has no thread or poller to give, [`Error::Transport`] if TLS cannot be had:
    /// the system has no roots, say.
    pub fn connect(target: &str) -> Result<Self, Error> {
        Self::connect_with(target, ChannelOptions::new())
    }

    /// Connects with options.
    ///
    /// # Errors
    /// Those of [`connect`](Self::connect).
    pub fn connect_with(target: &str, options: ChannelOptions) -> Result<Self, Error> {
        let place = Place::new(target, &options)?;
        let (send, receive) = mpsc::sync_channel(1);
        thread::Builder::new()
            .name("barewire-channel".into())
            .spawn(move || {
                let mut events = match Loop::new(net::Limits::DEFAULT) {
                    Ok(events) => events,
                    Err(error) => return drop(send.send(Err(error))),
                };
                let remote = Some(events.remote());
                let channel = Self::build(&mut events, place, options, remote);
                // Who waits for the channel is there.
                drop(send.send(Ok(channel)));
                // A poller that fails takes the handler with it, which ends the calls.
                let _ = events.run();
            })?;
        match receive.recv() {
            Ok(channel) => channel,
            Err(_) => Err(io::Error::other("the thread of the channel has ended").into()),
        }
    }

    /// A channel on a loop that is there already. Its calls may be made on the
    /// loop's thread with [listeners](Self::open), and on others also by
    /// blocking.
    ///
    /// # Errors
    /// [`Error::Target`] for a text that names no server, [`Error::Transport`] if TLS
    /// cannot be had.
    pub fn on<P: Poller>(
        events: &mut Loop<P>,
        target: &str,
        options: ChannelOptions,
    ) -> Result<Self, Error> {
        let place = Place::new(target, &options)?;
        Ok(Self::build(events, place, options, None))
    }

    fn build<P: Poller>(
        events: &mut Loop<P>,
        place: Place,
        options: ChannelOptions,
        private: Option<Remote>,
    ) -> Self {
        let remote = events.remote();
        let profiles = options
            .limits
            .links()
            .map(|it| events.profile(it))
            .collect();
        let seed = RandomState::new().build_hasher().finish();
        let calls = Calls::new(&place.authority, options.limits, seed);
        let mut calls = calls.with_server(&place.destination.to_string());
        if place.over.is_some() {
            calls = calls.with_https();
        }
        if let Some(agent) = &options.agent {
            calls = calls.with_agent(agent);
        }
        let shared = Arc::new(Shared::new(calls, remote));
        let owner = events.add(Driver {
            shared: shared.clone(),
            dialler: Dialler::new(place.destination, place.over),
            profiles,
        });
        let now = events.enter(owner, |context| context.measure());
        shared.begin(owner, Clock::new(now));
        Self::new(shared, private)
    }

    /// Calls a method with one request and one response, and blocks until
    /// that has been received.
    ///
    /// # Errors
    /// How the call ended if not with OK; UNIMPLEMENTED if the response is not
    /// exactly one message.
    pub fn unary<I: Payload, O: Payload>(
        &self,
        path: &str,
        request: &I,
        options: CallOptions,
    ) -> Result<CallResponse<O>, Ending> {
        let frame = self.shared.coding.frame(request, options.compress)?;
        Pending::start(self, path, &options, Some(frame))?.single()
    }

    /// Calls a method with one request and many responses.
    ///
    /// # Errors
    /// How the call ended if it could not begin.
    pub fn server_streaming<I: Payload, O: Payload>(
        &self,
        path: &str,
        request: &I,
        options: CallOptions,
    ) -> Result<Responses<O>, Ending> {
        let frame = self.shared.coding.frame(request, options.compress)?;
        let pending = Pending::start(self, path, &options, Some(frame))?;
        Ok(Responses::new(Arc::new(pending)))
    }

    /// Calls a method with many requests and one response.
    ///
    /// # Errors
    /// Those of [`server_streaming`](Self::server_streaming).
    pub fn client_streaming<I: Payload, O: Payload>(
        &self,
        path: &str,
        options: CallOptions,
    ) -> Result<Requests<I, O>, Ending> {
        let pending = Pending::start(self, path, &options, None)?;
        Ok(Requests::new(pending))
    }

    /// Calls a method with many requests and many responses.
    ///
    /// # Errors
    /// Those of [`server_streaming`](Self::server_streaming).
    pub fn bidirectional<I: Payload, O: Payload>(
        &self,
        path: &str,
        options: CallOptions,
    ) -> Result<Duplex<I, O>, Ending> {
        let pending = Pending::start(self, path, &options, None)?;
        Ok(Duplex::new(Arc::new(pending)))
    }
}
