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
    CallOptions, CallResponse, Calls, Channel, Duplex, Ending, Limits, Requests, Responses,
};
use crate::client::connecting::{Dialler, Target};
use crate::grpc::Payload;
use crate::net::{self, Error, Loop, Poller, Remote};
use crate::wire::Instant;

/// How a channel is set up.
#[derive(Debug, Clone, Default)]
pub struct ChannelOptions {
    limits: Limits,
    agent: Option<String>,
    authority: Option<String>,
}

impl ChannelOptions {
    /// [`Limits::DEFAULT`], and nothing else.
    pub const fn new() -> Self {
        Self {
            limits: Limits::DEFAULT,
            agent: None,
            authority: None,
        }
    }

    /// Sets the limits.
    #[must_use]
    pub const fn with_limits(mut self, limits: Limits) -> Self {
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

    /// Names the server otherwise than by where it is reached.
    #[must_use]
    pub fn with_authority(mut self, authority: &str) -> Self {
        self.authority = Some(authority.into());
        self
    }
}

impl Channel {
    /// A channel to `http://host:port`, `host:port` or `unix:path`, on a loop
    /// and a thread of its own. It does not wait for the connection.
    ///
    /// # Errors
    /// [`Error::Target`] for a text that names no server, [`Error::Io`] if the
    /// system has no thread or poller to give.
    pub fn connect(target: &str) -> Result<Self, Error> {
        Self::connect_with(target, ChannelOptions::new())
    }

    /// Connects with options.
    ///
    /// # Errors
    /// Those of [`connect`](Self::connect).
    pub fn connect_with(target: &str, options: ChannelOptions) -> Result<Self, Error> {
        let target = Target::parse(target)?;
        let (send, receive) = mpsc::sync_channel(1);
        thread::Builder::new()
            .name("barewire-channel".into())
            .spawn(move || {
                let mut events = match Loop::new(net::Limits::DEFAULT) {
                    Ok(events) => events,
                    Err(error) => return drop(send.send(Err(error))),
                };
                let remote = Some(events.remote());
                let channel = Self::build(&mut events, target, options, remote);
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
    /// [`Error::Target`] for a text that names no server.
    pub fn on<P: Poller>(
        events: &mut Loop<P>,
        target: &str,
        options: ChannelOptions,
    ) -> Result<Self, Error> {
        Ok(Self::build(events, Target::parse(target)?, options, None))
    }

    fn build<P: Poller>(
        events: &mut Loop<P>,
        target: Target,
        options: ChannelOptions,
        private: Option<Remote>,
    ) -> Self {
        let remote = events.remote();
        let profiles = options
            .limits
            .links()
            .map(|it| events.profile(it))
            .collect();
        let authority = options.authority.as_deref().unwrap_or(&target.authority);
        let seed = RandomState::new().build_hasher().finish();
        let calls = Calls::new(authority, options.limits, seed);
        let mut calls = calls.with_server(&target.destination.to_string());
        if let Some(agent) = &options.agent {
            calls = calls.with_agent(agent);
        }
        let shared = Arc::new(Shared::new(calls, remote));
        let owner = events.add(Driver {
            shared: shared.clone(),
            dialler: Dialler::new(target.destination),
            profiles,
            armed: Instant::NEVER,
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
