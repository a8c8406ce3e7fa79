//! Dialling on a loop: by a route, with the times and the names of a client.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::net::SocketAddr;
use std::io;
use std::sync::OnceLock;

use super::dial::DialOptions;
use super::route::Route;
use super::way::{on_a_loop, proxy_fault};
use super::{DialError, Names, Phase};
use crate::link::{EndReason, Unreachable};
use crate::net::{
    Context, DialPlan, DialTimes, Exchange, FoundNames, NameService, Profile, TransportDetails,
};
#[cfg(feature = "tls")]
use crate::tls::ConnectionError;

#[derive(Debug)]
pub(crate) struct LoopDial {
    names: Arc<Names>,
    /// The host and port that is connected to, where it has a name.
    hop: Option<(String, u16)>,
    /// Why the name could not be resolved.
    fault: Arc<OnceLock<Arc<io::Error>>>,
}

/// The names of a client, as a dial of a loop asks them.
struct Service {
    names: Arc<Names>,
    fault: Arc<OnceLock<Arc<io::Error>>>,
}

impl NameService for Service {
    fn find(&self, host: &str, port: u16, then: FoundNames) -> io::Result<()> {
        let fault = self.fault.clone();
        let told = move |found: Result<Arc<[SocketAddr]>, Arc<io::Error>>| match found {
            Ok(found) => then(Ok(found.to_vec())),
            Err(error) => {
                let kind = error.kind();
                let _ = fault.set(error); // a name is asked for once
                then(Err(kind.into()));
            }
        };
        self.names.tell(host, port, Box::new(told))
    }
}

impl LoopDial {
    /// Begins to connect. What becomes of it are events of the exchange.
    pub(crate) fn begin(
        route: &Route,
        options: &DialOptions,
        profile: Profile,
        tag: u32,
        context: &mut Context<'_>,
    ) -> Result<(Exchange, Self), DialError> {
        let (destination, over) = on_a_loop(route)?;
        let names = options.names.clone();
        let fault = Arc::new(OnceLock::new());
        let times = DialTimes {
            resolve: options.resolve_time,
            connect: Some(options.connect_time),
            attempt: options.connect_time,
            delay: options.attempt_delay,
            handshake: options.handshake_time,
        };
        let exchange = context.dial_by(DialPlan {
            destination,
            over,
            speaks: route.speaks,
            profile,
            tag,
            times: Some(times),
            names: Some(Arc::new(Service {
                names: names.clone(),
                fault: fault.clone(),
            })),
        });
        let hop = route.first_hop().map(|(host, port)| (host.into(), port));
        Ok((exchange, Self { names, hop, fault }))
    }

    pub(crate) fn explain(&self, why: EndReason, details: Option<&TransportDetails>) -> DialError {
        let EndReason::Unreachable(why) = why else {
            let text = "the loop has given it up";
            return DialError::failed(Phase::Connect, io::Error::other(text));
        };
        let phase = match why {
            Unreachable::NameTimedOut => return DialError::timed_out(Phase::Resolve),
            Unreachable::NotResolved | Unreachable::TooManyNames => {
                return match self.fault.get() {
                    Some(fault) => DialError::failed(Phase::Resolve, fault.clone()),
                    None => DialError::failed(Phase::Resolve, why),
                };
            }
            Unreachable::Handshake | Unreachable::HandshakeTimedOut => {
                let timed_out = why == Unreachable::HandshakeTimedOut;
                if let Some(error) = details.and_then(|it| proxy_fault(it, timed_out)) {
                    return error;
                }
                Phase::Tls
            }
            _ => {
                if let Some((host, port)) = &self.hop {
                    self.names.forget(host, *port);
                }
                Phase::Connect
            }
        };
        if matches!(why, Unreachable::TimedOut | Unreachable::HandshakeTimedOut) {
            return DialError::timed_out(phase);
        }
        #[cfg(feature = "tls")]
        if let Some(error) = details.and_then(|it| it.downcast_ref::<ConnectionError>()) {
            return DialError::failed(phase, error.clone());
        }
        DialError::failed(phase, why)
    }
}
