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
    // The proxy, and the server after it.
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
