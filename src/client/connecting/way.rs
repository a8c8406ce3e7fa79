//! What stands between a socket and the protocol of a route: nothing, TLS, a way through a
//! proxy, or both.

use alloc::boxed::Box;
use core::net::{IpAddr, SocketAddr};

use super::proxied::Proxied;
use super::route::{Place, Route};
use super::{DialError, Phase};
use crate::net::{Address, Destination, Transport, TransportMaker};

type Made = Option<Box<dyn Transport + Send>>;

/// The transport of one connection. A proxy is told of the server as `server`.
pub(super) fn transport(route: &Route, server: &str) -> Result<Made, DialError> {
    let inner = secure(route)?;
    match (&route.place, &route.proxy) {
        (Place::Host { port, .. }, Some(proxy)) if !route.is_forwarded() => {
            let way = Proxied::new(proxy, server, *port, inner);
            let way = way.map_err(|error| DialError::failed(Phase::Proxy, error))?;
            Ok(Some(Box::new(way)))
        }
        _ => Ok(inner),
    }
}

/// TLS with the server, if it is spoken.
#[cfg(feature = "tls")]
fn secure(route: &Route) -> Result<Made, DialError> {
    let Some(secure) = &route.secure else {
        return Ok(None);
    };
    let session = secure.client.session(&secure.name, secure.protocols);
    let session = session.map_err(|error| DialError::failed(Phase::Tls, error))?;
    Ok(Some(session))
}

#[cfg(not(feature = "tls"))]
fn secure(route: &Route) -> Result<Made, DialError> {
    use std::io::{Error, ErrorKind};
    match &route.secure {
        Some(_) => {
            let text = "this build has no TLS (feature `tls`)";
            let error = Error::new(ErrorKind::Unsupported, text);
            Err(DialError::failed(Phase::Tls, error))
        }
        None => Ok(None),
    }
}

/// Where a loop dials for a route, and over what. On a loop all SOCKS proxies are told
/// names: it has no time to resolve them for the proxy.
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "HTTP clients on a loop, which dial so, are not built yet"
    )
)]
pub(in crate::client) fn on_a_loop(
    route: &Route,
) -> Result<(Destination, Option<TransportMaker>), DialError> {
    let destination = match (&route.place, route.first_hop()) {
        (Place::Unix(path), _) => Destination::Address(Address::Unix(path.clone())),
        (_, hop) => {
            let (host, port) = hop.unwrap_or_default(); // a host has one
            match host.parse::<IpAddr>() {
                Ok(address) => Destination::Address(SocketAddr::new(address, port).into()),
                Err(_) => Destination::Name {
                    host: host.into(),
                    port,
                },
            }
        }
    };
    let server = match &route.place {
        Place::Host { host, .. } => host.as_str(),
        Place::Unix(_) => "",
    };
    if transport(route, server)?.is_none() {
        return Ok((destination, None));
    }
    let (route, server) = (route.clone(), alloc::string::String::from(server));
    let maker = TransportMaker::new(move || match transport(&route, &server) {
        Ok(Some(made)) => made,
        // It was made before of the same.
        Ok(None) | Err(_) => Box::new(Proxied::closed()),
    });
    Ok((destination, Some(maker)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Proxy;
    use crate::http::{Field, Fields, Method, RequestHead, Target, Version};
    use crate::link::{self, Event};
    use crate::net::{Context, Handler, Limits, Loop, Speaks};
    use alloc::rc::Rc;
    use alloc::string::String;
    use alloc::vec::Vec;
    use core::cell::RefCell;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread;

    struct Asking(Rc<RefCell<Vec<String>>>);

    impl Handler for Asking {
        fn event(&mut self, context: &mut Context<'_>, event: Event<'_>) {
            let line = match event {
                Event::Opened => {
                    let host = [Field::new("host", "server.example")];
                    let head = RequestHead {
                        method: Method::GET,
                        target: Target::parse(b"/", Method::GET).unwrap(),
                        version: Version::Http11,
                        protocol: None,
                        fields: Fields::new(&host),
                    };
                    context.request(&head, None).unwrap();
                    "opened".into()
                }
                Event::Body(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
                Event::End { .. } => "end".into(),
                Event::Ended(why) => alloc::format!("{why:?}"),
                _ => return,
            };
            self.0.borrow_mut().push(line);
        }
    }

    #[test]
    fn a_loop_goes_through_a_proxy_and_hears_the_end_of_the_server() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        // The proxy, and the server behind it.
        let serving = thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            let mut head = [0; 200];
            let asked = stream.read(&mut head).unwrap();
            assert!(head[..asked].starts_with(b"CONNECT server.example:80 "));
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            let asked = stream.read(&mut head).unwrap();
            assert!(head[..asked].starts_with(b"GET / "));
            stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nhi").unwrap();
        });
        let route = Route {
            place: Place::Host {
                host: "server.example".into(),
                port: 80,
            },
            secure: None,
            speaks: Speaks::Http1,
            proxy: Some(Proxy::parse(&alloc::format!("127.0.0.1:{port}")).unwrap()),
            tunnel: true,
        };
        let (destination, over) = on_a_loop(&route).unwrap();
        let mut events = Loop::new(Limits::DEFAULT).unwrap();
        let log = Rc::new(RefCell::new(Vec::new()));
        let owner = events.add(Asking(log.clone()));
        let profile = events.profile(link::Limits::DEFAULT);
        events.enter(owner, |context| {
            context.dial_over(destination, &over.unwrap(), Speaks::Http1, profile, 0)
        });
        while !log.borrow().iter().any(|it| it == "Disconnected") {
            events.turn(None).unwrap();
        }
        assert_eq!(*log.borrow(), ["opened", "hi", "end", "Disconnected"]);
        serving.join().unwrap();
    }
}
