//! Channels: how they are set up, and the calls that block.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use core::hash::{BuildHasher, Hasher};
use std::hash::RandomState;
use std::io;
use std::sync::mpsc;
use std::thread;

use super::driver::Driver;
use super::machine::Form;
use super::pending::Pending;
use super::shared::{Clock, Shared};
use super::{
    CallOptions, CallResponse, Calls, Channel, ChannelLimits, Duplex, Ending, Requests, Responses,
};
use crate::client::Proxy;
use crate::client::connecting::{Dialler, Place, ProxyChoice, Route, Security, Target, on_a_loop};
use crate::grpc::connect::Shape;
use crate::grpc::{Code, Payload, Protocol};
use crate::net::{self, AnyLoop, Error, Loop, Remote, Speaks, TransportError};

/// How a channel is set up.
#[derive(Debug, Clone, Default)]
pub struct GrpcChannelOptions {
    limits: ChannelLimits,
    agent: Option<String>,
    authority: Option<String>,
    security: Security,
    proxies: ProxyChoice,
    protocol: Protocol,
    is_http1: bool,
}

impl GrpcChannelOptions {
    /// [`ChannelLimits::DEFAULT`], and nothing else.
    pub const fn new() -> Self {
        Self {
            limits: ChannelLimits::DEFAULT,
            agent: None,
            authority: None,
            security: Security::new(),
            proxies: ProxyChoice::new(),
            protocol: Protocol::Grpc,
            is_http1: false,
        }
    }

    /// Makes the calls in another protocol than gRPC: [`Protocol::Connect`], say. The
    /// methods of the channel and the codes of errors are the same.
    ///
    /// ```no_run
    /// use barewire::client::{CallOptions, Channel, GrpcChannelOptions};
    /// use barewire::grpc::Protocol;
    ///
    /// let options = GrpcChannelOptions::new().protocol(Protocol::Connect).http1();
    /// let channel = Channel::connect_with("http://127.0.0.1:8080", options)?;
    /// let call = CallOptions::new().http_get();
    /// let user = channel.unary::<Vec<u8>, Vec<u8>>("/users.Users/Get", &b"\x08\x07".to_vec(), call)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self
    }

    /// Speaks HTTP/1.1 instead of HTTP/2, for servers and proxies that know nothing else.
    /// Each connection carries one call at a time, so that there are several
    /// ([`ChannelLimits::connections`]). gRPC itself needs HTTP/2, as do streams that flow
    /// both ways.
    #[must_use]
    pub const fn http1(mut self) -> Self {
        self.is_http1 = true;
        self
    }

    /// Sets the limits.
    #[must_use]
    pub fn limits(mut self, limits: ChannelLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Puts the application's own name, such as `greeter/1.0`, in front of the
    /// user agent.
    #[must_use]
    pub fn user_agent(mut self, name: &str) -> Self {
        self.agent = Some(name.into());
        self
    }

    /// Names the server otherwise than by where it is reached. Over TLS its
    /// certificate has to be for this name.
    #[must_use]
    pub fn authority(mut self, authority: &str) -> Self {
        self.authority = Some(authority.into());
        self
    }

    /// Connects through a proxy, by a tunnel. Without this and
    /// [`no_proxy`](Self::no_proxy) the environment says which: `http_proxy`,
    /// `https_proxy` where TLS is spoken, `all_proxy` and `no_proxy`, or the same in
    /// capitals. A Unix socket is reached directly.
    ///
    /// The name of the server is the proxy's to resolve: also with `socks5`, as a loop does
    /// not wait for names.
    ///
    /// ```no_run
    /// use barewire::client::{Channel, GrpcChannelOptions};
    ///
    /// let options = GrpcChannelOptions::new().proxy("http://proxy.example:3128".parse()?);
    /// let channel = Channel::connect_with("https://example.org:50051", options)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxies.set(Some(proxy));
        self
    }

    /// Connects to these servers directly, whether the proxy was set here or by the
    /// environment. They are given in the form of `no_proxy`: names with all below them,
    /// addresses and networks, each with a port or without, separated by commas.
    #[must_use]
    pub fn proxy_except(mut self, servers: &str) -> Self {
        self.proxies.except(servers);
        self
    }

    /// Uses no proxy, whatever the environment says.
    #[must_use]
    pub fn no_proxy(mut self) -> Self {
        self.proxies.set(None);
        self
    }

    /// Connects over TLS as this client does. Targets without a scheme, `host:port` and
    /// `unix:path`, are reached over TLS then.
    ///
    /// ```no_run
    /// use barewire::client::{Channel, GrpcChannelOptions};
    /// use barewire::tls::{Certificates, Client, ClientOptions, Roots};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let tls = ClientOptions::new()
    ///     .root_certs(Roots::read("our-ca.pem")?)
    ///     .client_cert(Certificates::read("me.pem", "my-key.pem")?);
    /// let options = GrpcChannelOptions::new().tls(Client::new(tls)?);
    /// let channel = Channel::connect_with("https://example.org:50051", options)?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: crate::tls::Client) -> Self {
        self.security = Security::with(tls);
        self
    }
}

impl GrpcChannelOptions {
    const fn speaks(&self) -> Speaks {
        match self.is_http1 {
            true => Speaks::Http1,
            false => Speaks::Http2,
        }
    }
}

/// Where a channel goes: what its target and its options say together.
struct Goal {
    dialler: Dialler,
    authority: String,
    /// The server, and the proxy in front of it, in errors.
    name: String,
    is_secure: bool,
}

impl Goal {
    fn new(text: &str, options: &GrpcChannelOptions) -> Result<Self, Error> {
        let target = Target::parse(text)?;
        let authority = options.authority.as_ref().unwrap_or(&target.authority);
        let authority = authority.clone();
        if options.is_http1 && options.protocol == Protocol::Grpc {
            return Err(Error::Config(
                "gRPC needs HTTP/2: Connect and gRPC-Web do not",
            ));
        }
        let mut secure = options.security.clone().secure(text, &target, &authority)?;
        if let Some(secure) = &mut secure
            && options.is_http1
        {
            secure.protocols = &["http/1.1"];
        }
        let is_secure = secure.is_some();
        let proxies = options.proxies.rules().map_err(unusable)?;
        let proxy = match &target.place {
            Place::Host { host, port } => proxies.find(is_secure, host, *port).cloned(),
            Place::Unix(_) => None,
        };
        let mut name = target.place.to_string();
        if let Some(proxy) = &proxy {
            name = format!("{name} through {proxy}");
        }
        let route = Route {
            place: target.place,
            secure,
            speaks: options.speaks(),
            proxy,
            tunnel: true,
        };
        let (destination, over) = on_a_loop(&route).map_err(unusable)?;
        Ok(Self {
            dialler: Dialler::new(destination, over),
            authority,
            name,
            is_secure,
        })
    }
}

fn unusable(error: impl core::error::Error + Send + Sync + 'static) -> Error {
    Error::Transport(TransportError::new(error))
}

impl Channel {
    /// A channel to `https://host:port`, `http://host:port`, `host:port` or `unix:path`,
    /// on a loop and a thread of its own. It does not wait for the connection.
    ///
    /// `https` goes over TLS (feature `tls`), by default with the roots of the system:
    /// those are read for each such channel, so that a program with many gives them
    /// the same client (`GrpcChannelOptions::tls`). The server has to agree on `h2` by
    /// ALPN, or on `http/1.1` if that is [asked for](GrpcChannelOptions::http1).
    ///
    /// # Errors
    /// [`Error::Target`] for a text that names no server, [`Error::Io`] if the system has
    /// no thread or poller to give, [`Error::Transport`] if TLS is not available (the
    /// system has no roots, say) or the environment names a proxy that is none.
    pub fn connect(target: &str) -> Result<Self, Error> {
        Self::connect_with(target, GrpcChannelOptions::new())
    }

    /// Connects with options.
    ///
    /// # Errors
    /// Those of [`connect`](Self::connect).
    pub fn connect_with(target: &str, options: GrpcChannelOptions) -> Result<Self, Error> {
        let goal = Goal::new(target, &options)?;
        let (send, receive) = mpsc::sync_channel(1);
        thread::Builder::new()
            .name("barewire-channel".into())
            .spawn(move || {
                let mut events = match Loop::new(net::Limits::DEFAULT) {
                    Ok(events) => events,
                    Err(error) => return drop(send.send(Err(error))),
                };
                let remote = Some(events.remote());
                let channel = Self::build(&mut events, goal, options, remote);
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
    /// [`Error::Target`] for a text that names no server, [`Error::Transport`] if TLS is
    /// not available or the environment names a proxy that is none.
    pub fn on(
        events: &mut dyn AnyLoop,
        target: &str,
        options: GrpcChannelOptions,
    ) -> Result<Self, Error> {
        let goal = Goal::new(target, &options)?;
        Ok(Self::build(events, goal, options, None))
    }

    fn build(
        events: &mut dyn AnyLoop,
        goal: Goal,
        options: GrpcChannelOptions,
        private: Option<Remote>,
    ) -> Self {
        let remote = events.remote();
        let profiles = options
            .limits
            .links()
            .map(|it| events.add_profile(it))
            .collect();
        let seed = RandomState::new().build_hasher().finish();
        let calls = Calls::new(&goal.authority, options.limits, seed);
        let mut calls = calls
            .with_server(&goal.name)
            .with_protocol(options.protocol);
        if options.is_http1 {
            calls = calls.over_http1();
        }
        if goal.is_secure {
            calls = calls.with_https();
        }
        if let Some(agent) = &options.agent {
            calls = calls.with_user_agent(agent);
        }
        let shared = Arc::new(Shared::new(calls, remote, options.is_http1));
        let owner = events.add_handler(Box::new(Driver {
            shared: shared.clone(),
            dialler: goal.dialler,
            speaks: options.speaks(),
            profiles,
        }));
        events.enter_owner(owner, &mut |context| {
            shared.begin(owner, Clock::new(context.measure()));
        });
        Self::new(shared, private)
    }

    /// Calls a method with one request and one response, and blocks until
    /// that has been received.
    ///
    /// # Errors
    /// How the call ended, unless with OK; UNIMPLEMENTED if the response is not exactly
    /// one message; FAILED_PRECONDITION, and no call, on a thread that runs a loop.
    pub fn unary<I: Payload, O: Payload>(
        &self,
        path: &str,
        request: &I,
        options: CallOptions,
    ) -> Result<CallResponse<O>, Ending> {
        self.shared.may_block()?;
        let frame = self.shared.coding.frame(request, options.compress)?;
        let form = Form::of::<I>(Shape::Unary);
        Pending::start(self, (path, &options), form, Some(frame))?.single()
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
        let form = Form::of::<I>(Shape::Streaming);
        let pending = Pending::start(self, (path, &options), form, Some(frame))?;
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
        let form = Form::of::<I>(Shape::Streaming);
        let pending = Pending::start(self, (path, &options), form, None)?;
        Ok(Requests::new(Arc::new(pending)))
    }

    /// Calls a method with many requests and many responses.
    ///
    /// # Errors
    /// Those of [`server_streaming`](Self::server_streaming), and UNIMPLEMENTED over
    /// HTTP/1.1, where the response follows the request.
    pub fn bidirectional<I: Payload, O: Payload>(
        &self,
        path: &str,
        options: CallOptions,
    ) -> Result<Duplex<I, O>, Ending> {
        if self.shared.is_http1 {
            let message = "streams that flow both ways need HTTP/2";
            return Err(Ending::constant(Code::Unimplemented, message));
        }
        let form = Form::of::<I>(Shape::Streaming);
        let pending = Pending::start(self, (path, &options), form, None)?;
        Ok(Duplex::new(Arc::new(pending)))
    }
}
