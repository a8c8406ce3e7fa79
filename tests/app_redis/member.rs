//! A process with a member in one channel, on a backplane without an app.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::task::Poll;

use barewire::app::{
    Backplane, ChannelError, History, Inlet, Later, Line, Past, Position, Present, Publication,
    RedisBackplane, RedisLimits, RedisOptions,
};
use barewire::websocket::Kind;
use std::time::Duration;

/// What a member was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    Got(String, Option<u64>),
    Lost(u64),
}

type Seen = Arc<(Mutex<Vec<Told>>, Condvar)>;

/// A process.
pub(crate) struct Process(pub(crate) RedisBackplane);

/// A channel in a process.
pub(crate) struct Member {
    pub(crate) line: Box<dyn Line>,
    seen: Seen,
}

pub(crate) fn quick(options: RedisOptions) -> RedisOptions {
    let limits = RedisLimits::DEFAULT
        .with_retry_time(Duration::from_millis(200))
        .with_check_time(Duration::from_millis(300));
    options.limits(limits)
}

impl Process {
    pub(crate) fn at(address: &str) -> Self {
        Self::with(quick(RedisOptions::at(address).unwrap()))
    }

    pub(crate) fn with(options: RedisOptions) -> Self {
        Self(RedisBackplane::new(options).unwrap())
    }

    /// A channel without members, to publish to.
    pub(crate) fn publisher(&self, channel: &str, keep: Option<History>) -> Member {
        let seen = Seen::default();
        let (got, lost) = (seen.clone(), seen.clone());
        let deliver = move |it: Publication| {
            let text = String::from_utf8_lossy(it.payload()).into_owned();
            let told = Told::Got(text, it.position().map(|it| it.offset));
            got.0.lock().unwrap().push(told);
            got.1.notify_all();
        };
        let lose = move |it: Position| {
            lost.0.lock().unwrap().push(Told::Lost(it.offset));
            lost.1.notify_all();
        };
        let line = self.0.subscribe(channel, keep, Inlet::new(deliver, lose));
        Member { line, seen }
    }

    /// A channel with its first member.
    pub(crate) fn member(&self, channel: &str, keep: Option<History>) -> Member {
        let member = self.publisher(channel, keep);
        member.line.first_member();
        if keep.is_some() {
            member.past(&[]).unwrap();
        }
        member
    }
}

/// Calls with a place for a later answer, and waits for it.
pub(crate) fn wait<T: Send + 'static>(
    call: impl FnOnce(&dyn Fn() -> Later<T>) -> Poll<Result<T, ChannelError>>,
) -> Result<T, ChannelError> {
    let told: std::cell::RefCell<Option<Receiver<_>>> = Default::default();
    let later = || {
        let (tell, receiver) = channel();
        *told.borrow_mut() = Some(receiver);
        Later::new(move |result| {
            let _ = tell.send(result); // nobody may wait any more
        })
    };
    match call(&later) {
        Poll::Ready(result) => result,
        Poll::Pending => told.take().unwrap().recv().unwrap(),
    }
}

impl Member {
    pub(crate) fn publish(&self, text: &str) -> Result<Option<Position>, ChannelError> {
        let publication = publication(text);
        wait(|later| self.line.publish(publication, &mut |_| {}, later))
    }

    /// Publishes, and does not wait.
    pub(crate) fn begin(&self, text: &str) -> Receiver<Result<Option<Position>, ChannelError>> {
        let (tell, told) = channel();
        let tell = Mutex::new(Some(tell));
        let later = || {
            let tell = tell.lock().unwrap().take().unwrap();
            Later::new(move |result| {
                let _ = tell.send(result); // nobody may wait any more
            })
        };
        let publication = publication(text);
        match self.line.publish(publication, &mut |_| {}, &later) {
            Poll::Pending => {}
            Poll::Ready(result) => {
                tell.lock().unwrap().take().unwrap().send(result).unwrap();
            }
        }
        told
    }

    pub(crate) fn past(&self, since: &[Position]) -> Result<Past, ChannelError> {
        wait(|later| self.line.history(since, later))
    }

    /// Who is there in other processes.
    pub(crate) fn present(&self, most: usize) -> Vec<Present> {
        wait(|later| self.line.present(most, later)).unwrap()
    }

    /// Where the channel is, and the texts of what came behind; `None` if not recovered.
    pub(crate) fn since(&self, since: &[Position]) -> (Position, Option<Vec<String>>) {
        let past = self.past(since).unwrap();
        let text = |it: &Publication| String::from_utf8_lossy(it.payload()).into_owned();
        let missed = past.missed.map(|it| it.iter().map(text).collect());
        (past.head, missed)
    }

    /// Waits until it has been told so much; all of it.
    pub(crate) fn told(&self, count: usize) -> Vec<Told> {
        let seen = self.seen.0.lock().unwrap();
        let seen = self.seen.1.wait_while(seen, |it| it.len() < count);
        seen.unwrap().clone()
    }

    /// Waits until it was told that something is lost.
    pub(crate) fn lost(&self) -> Vec<Told> {
        let is_lost = |it: &Vec<Told>| it.iter().any(|it| matches!(it, Told::Lost(_)));
        let seen = self.seen.0.lock().unwrap();
        let seen = self.seen.1.wait_while(seen, |it| !is_lost(it));
        seen.unwrap().clone()
    }
}

fn publication(text: &str) -> Publication {
    Publication::from_elsewhere(Kind::Text, text.as_bytes(), b"", 1).unwrap()
}

pub(crate) fn got(text: &str, offset: u64) -> Told {
    Told::Got(text.to_owned(), (offset > 0).then_some(offset))
}
