//! The thread that has the connections: a [`Node`] on a loop.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use std::thread;

use super::node::{Action, Node};
use super::options::RedisOptions;
use super::shared::Shared;
use crate::link::{self, Event};
use crate::net::{
    Context, Destination, Error, Exchange, Flow, Handler, Limits, Loop, Owner, Priority, Profile,
    Random, Remote, Speaks,
};
use crate::wire::Instant;

/// The thread, for as long as anybody needs it.
pub(crate) struct Driven {
    remote: Remote,
}

impl Drop for Driven {
    fn drop(&mut self) {
        self.remote.drain(Duration::ZERO);
    }
}

impl fmt::Debug for Driven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driven").finish_non_exhaustive()
    }
}

struct Wake;

pub(crate) fn start(options: RedisOptions, shared: Arc<Shared>) -> Result<Driven, Error> {
    let limits = Limits::DEFAULT
        .with_connections(2_048)
        .with_read_size(256 << 10)
        .with_backlog_high(4 << 20)
        .with_backlog_low(512 << 10)
        .with_backlog_cap(256 << 20)
        .with_memory(1 << 30);
    let mut bytes = [0; 8];
    Random::new()?.fill(&mut bytes);
    let random = u64::from_ne_bytes(bytes);
    let (tell, told) = std::sync::mpsc::channel();
    let run = move || {
        let events = Loop::new(limits);
        let mut events = match events {
            Ok(events) => events,
            Err(error) => return drop(tell.send(Err(error))),
        };
        let profile = events.profile(link::Limits::default());
        let now = Instant::START;
        let driver = Driver {
            node: Node::new(options, shared.clone(), random, now),
            shared: shared.clone(),
            profile,
            exchanges: Vec::new(),
            alarm: Instant::NEVER,
        };
        let owner = events.add(driver);
        let remote = events.remote();
        wake_by(&shared, remote.clone(), owner);
        let _ = tell.send(Ok(remote.clone()));
        wake(&remote, owner); // to begin
        // A poller that fails ends the thread, and each question that waits for it.
        let _ = events.run();
    };
    thread::Builder::new()
        .name("barewire-redis".into())
        .spawn(run)?;
    let remote = told
        .recv()
        .unwrap_or(Err(Error::Config("the thread for Redis has ended")))?;
    Ok(Driven { remote })
}

fn wake_by(shared: &Shared, remote: Remote, owner: Owner) {
    shared.set_wake(Box::new(move || wake(&remote, owner)));
}

fn wake(remote: &Remote, owner: Owner) {
    // A mailbox of nothing but these is never full.
    let _ = remote.post_to_owner(owner, Priority::Reply, Box::new(Wake));
}

struct Driver {
    node: Node,
    shared: Arc<Shared>,
    profile: Profile,
    exchanges: Vec<Option<Exchange>>,
    alarm: Instant,
}

impl Driver {
    fn exchange(&self, index: usize) -> Option<Exchange> {
        self.exchanges.get(index).copied().flatten()
    }

    /// Does what the node wants, until it wants no more for now.
    fn act(&mut self, context: &mut Context<'_>) {
        loop {
            self.node.flush();
            for action in core::mem::take(&mut self.node.actions) {
                match action {
                    Action::Dial(index, to) => self.dial(context, index, to),
                    Action::Close(index) => self.close(context, index),
                }
            }
            let has_written = self.write(context);
            if !has_written && self.node.actions.is_empty() {
                break;
            }
        }
        let due = self.node.due();
        if due != self.alarm {
            self.alarm = due;
            let wait = due.saturating_since(context.now());
            context.set_alarm(context.now() + wait);
        }
    }

    fn dial(&mut self, context: &mut Context<'_>, index: usize, to: Destination) {
        let tag = index as u32;
        let exchange = match self.transport(&to) {
            Ok(None) => context.dial(to, Speaks::Raw, self.profile, tag),
            #[cfg(feature = "tls")]
            Ok(Some(over)) => context.dial_over(to, &over, Speaks::Raw, self.profile, tag),
            #[cfg(not(feature = "tls"))]
            Ok(Some(())) => return,
            Err(_) => return self.node.closed(index), // of a name that is none
        };
        if self.exchanges.len() <= index {
            self.exchanges.resize(index + 1, None);
        }
        self.exchanges[index] = Some(exchange);
    }

    #[cfg(feature = "tls")]
    fn transport(&self, to: &Destination) -> Result<Option<crate::net::TransportMaker>, Error> {
        use alloc::string::ToString;
        let Some(tls) = &self.node.options.tls else {
            return Ok(None);
        };
        let server = match to {
            Destination::Name { host, .. } => host.clone(),
            Destination::Address(crate::net::Address::Tcp(address)) => address.ip().to_string(),
            Destination::Address(_) => "localhost".to_string(),
        };
        Ok(Some(tls.transport(&server, &[])?))
    }

    #[cfg(not(feature = "tls"))]
    fn transport(&self, _to: &Destination) -> Result<Option<()>, Error> {
        Ok(None)
    }

    fn close(&mut self, context: &mut Context<'_>, index: usize) {
        let exchange = self.exchanges.get_mut(index).and_then(Option::take);
        if let Some(exchange) = exchange {
            context.with(exchange, |context| context.abort());
        }
    }

    /// Writes what links have to say; whether there was something, and more may come.
    fn write(&mut self, context: &mut Context<'_>) -> bool {
        let mut has_written = false;
        for index in 0..self.node.links.len() {
            let exchange = self.exchange(index);
            let link = &mut self.node.links[index];
            if link.out.is_empty() {
                continue;
            }
            let Some(exchange) = exchange else { continue };
            let out = core::mem::take(&mut link.out);
            let flow = context.with(exchange, |context| context.write(&out));
            has_written = true;
            link.is_full = flow == Some(Flow::Wait);
            if link.out.is_empty() && out.capacity() <= 4 << 20 {
                link.out = out;
                link.out.clear();
            }
        }
        has_written && self.node.is_dirty()
    }
}

impl Handler for Driver {
    fn event(&mut self, context: &mut Context<'_>, event: Event<'_>) {
        self.node.now = context.now();
        let index = context.tag() as usize;
        let is_current = self.exchange(index) == Some(context.exchange());
        match event {
            Event::Mail(_) => {
                for command in self.shared.take() {
                    self.node.command(command);
                }
            }
            Event::Timer { .. } => self.alarm = Instant::NEVER,
            Event::Opened if is_current => self.node.opened(index),
            Event::Data(bytes) if is_current => self.node.received(index, bytes),
            Event::Writable if is_current => self.node.writable(index),
            Event::HalfClosed if is_current => self.node.lose(index),
            Event::Ended(_) if is_current => {
                self.exchanges[index] = None;
                self.node.closed(index);
            }
            _ => return,
        }
        self.node.elapsed();
        self.act(context);
    }
}
