//! The conversation of a client without I/O.
//!
//! ```text
//!   position 5   own 7, by `published`        on the way: 6
//!        6 ◄──────── message 6
//!        7 ◄──────── own: goes on behind it, and is asked for no more
//! ```

use alloc::borrow::Cow;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use std::time::{SystemTime, UNIX_EPOCH};

use uuid::Uuid;

use super::incoming::{EnvelopeMessage, EnvelopePublished, EnvelopeRefusal, position};
use crate::client::{Position, Receipt, Seen};
use crate::envelope::{Ask, Head, Received, ReceivedAnswer};

/// Own publications that are remembered until what comes before them has come.
const MOST_OWN: usize = 1_000;

/// Earlier connections of the client that are known as its own.
const MOST_CONNECTIONS: usize = 8;

#[derive(Debug, Default)]
struct Subscription {
    /// The name of the subscribe that is not answered yet.
    asked: Option<String>,
    /// It was answered before: what came since may be missing.
    is_known: bool,
    /// All up to there has come, or was this client's own.
    position: Option<Position>,
    /// Offsets of own publications after that.
    own: BTreeSet<u64>,
}

impl Subscription {
    /// Something of this place has come; false if it came before.
    fn advance(&mut self, place: &Position) -> bool {
        match &mut self.position {
            Some(known) if known.epoch == place.epoch => {
                if place.offset <= known.offset {
                    return false;
                }
                known.offset = place.offset;
            }
            known => *known = Some(place.clone()),
        }
        self.skip_own();
        true
    }

    fn publish(&mut self, place: &Position) {
        let known = self.position.as_ref();
        let is_after = known.is_some_and(|it| it.epoch == place.epoch && it.offset < place.offset);
        if is_after && self.own.len() < MOST_OWN {
            self.own.insert(place.offset);
            self.skip_own();
        }
    }

    fn skip_own(&mut self) {
        let Some(position) = &mut self.position else {
            return;
        };
        while let Some(&first) = self.own.first() {
            if first > position.offset.saturating_add(1) {
                return;
            }
            position.offset = position.offset.max(first);
            self.own.pop_first();
        }
    }
}

#[derive(Debug)]
pub(super) enum News {
    Subscribed {
        channel: String,
        recovered: Option<bool>,
    },
    Unsubscribed {
        channel: String,
    },
    Published(EnvelopePublished),
    Refused(EnvelopeRefusal),
    Message(EnvelopeMessage),
    Pong {
        in_reply_to: Option<String>,
    },
}

#[derive(Debug)]
pub(super) struct NoEnvelope;

/// State shared by the hook, the listener and the senders of a client.
#[derive(Debug, Default)]
pub(super) struct Talk {
    subscriptions: BTreeMap<String, Subscription>,
    /// Subscribes of this connection to be answered before anything else is sent.
    resuming: BTreeSet<String>,
    /// Whether nothing was missing so far.
    recovered: bool,
    /// The last answer to those, which the hook has taken.
    resumed: Option<News>,
    /// Subscribes and unsubscribes that only this connection is to see.
    pub(super) control: Vec<Receipt>,
    /// A connection has begun: what changes is to be said on it.
    pub(super) is_open: bool,
    /// The connections' `sender_id`s to others: the present one last.
    connections: VecDeque<String>,
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) attempts: u64,
    pub(super) opened: u64,
}

/// A message of this client, and its name.
pub(super) fn written(ask: &Ask<'_>) -> (String, String) {
    let message_id = Uuid::new_v4();
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = now.unwrap_or_default().as_millis();
    let head = Head {
        message_id,
        unix_millis: u64::try_from(millis).unwrap_or_default(),
        sender_id: None,
    };
    let mut out = String::new();
    ask.write(&head, &mut out);
    (message_id.to_string(), out)
}

impl Talk {
    /// The application subscribes to a channel: the text to be sent if there is a
    /// connection. `None` if it is subscribed, and does not say from where on.
    pub(super) fn subscribe(&mut self, channel: &str, since: Option<Position>) -> Option<String> {
        if since.is_none() && self.subscriptions.contains_key(channel) {
            return None;
        }
        let mut subscription = Subscription {
            is_known: since.is_some(),
            position: since,
            ..Subscription::default()
        };
        let (_, text) = ask_for(channel, &mut subscription);
        self.subscriptions.insert(channel.into(), subscription);
        Some(text)
    }

    /// The application unsubscribes from a channel: the text to be sent if there is a
    /// connection. `None` if it was not subscribed.
    pub(super) fn unsubscribe(&mut self, channel: &str) -> Option<String> {
        self.subscriptions.remove(channel)?;
        Some(written(&Ask::Unsubscribe { channel }).1)
    }

    pub(super) fn channels(&self) -> Vec<String> {
        self.subscriptions.keys().cloned().collect()
    }

    pub(super) fn position(&self, channel: &str) -> Option<Position> {
        self.subscriptions.get(channel)?.position.clone()
    }

    pub(super) fn connection_id(&self) -> Option<&str> {
        self.connections
            .back()
            .map(String::as_str)
            .filter(|_| self.is_open)
    }

    /// A connection has begun: all that is to be subscribed to.
    pub(super) fn begin(&mut self) -> VecDeque<String> {
        self.is_open = true;
        (self.recovered, self.resumed) = (true, None);
        self.resuming.clear();
        let mut texts = VecDeque::new();
        for (channel, subscription) in &mut self.subscriptions {
            let (name, text) = ask_for(channel, subscription);
            self.resuming.insert(name);
            texts.push_back(text);
        }
        self.sent += texts.len() as u64;
        texts
    }

    /// The connection is over: what was said only for it.
    pub(super) fn end(&mut self) -> Vec<Receipt> {
        self.is_open = false;
        self.resuming.clear();
        core::mem::take(&mut self.control)
    }

    /// The meaning of a message for the hook.
    pub(super) fn see(&mut self, text: &str) -> Seen {
        if self.resuming.is_empty() {
            return Seen::Message;
        }
        let Some(received) = Received::parse(text) else {
            return Seen::Message;
        };
        let Some(answer) = received.answer() else {
            return Seen::Message;
        };
        let name = answer.in_reply_to.as_deref().unwrap_or_default();
        if !self.resuming.remove(name) {
            return Seen::Message;
        }
        let was_known = self.subscriptions.get(&*answer.channel);
        let was_known = was_known.is_none_or(|it| it.is_known);
        let is_whole = answer.recovered.unwrap_or(!was_known);
        self.recovered &= answer.kind == "subscribed" && is_whole;
        if !self.resuming.is_empty() {
            return Seen::Message;
        }
        let recovered = self.recovered;
        self.resumed = self.take_answer(&received, answer);
        self.received += 1;
        Seen::Resumed {
            recovered,
            position: None,
        }
    }

    pub(super) fn take_resumed(&mut self) -> Option<News> {
        self.resumed.take()
    }

    /// Takes a message; `None` if the application has no use for it, an error if it is no
    /// envelope.
    pub(super) fn take(&mut self, text: &str) -> Result<Option<News>, NoEnvelope> {
        self.received += 1;
        let received = Received::parse(text).ok_or(NoEnvelope)?;
        Ok(self.take_envelope(received))
    }

    fn take_envelope(&mut self, received: Received<'_>) -> Option<News> {
        if let Some(answer) = received.answer() {
            return self.take_answer(&received, answer);
        }
        if received.message_type == crate::envelope::MessageType::Pong {
            let in_reply_to = received.in_reply_to.map(Cow::into_owned);
            return Some(News::Pong { in_reply_to });
        }
        let message = EnvelopeMessage::new(&received, None);
        let Some(channel) = &message.channel else {
            return Some(News::Message(message));
        };
        // What was on its way when the application unsubscribed is of no use.
        let subscription = self.subscriptions.get_mut(channel)?;
        if let Some(place) = &message.position
            && !subscription.advance(place)
        {
            return None;
        }
        let sender = message.sender_id.as_ref();
        match sender.is_some_and(|it| self.connections.contains(it)) {
            false => Some(News::Message(message)),
            true => Some(News::Published(EnvelopePublished {
                channel: message.channel?,
                position: message.position,
                in_reply_to: None,
            })),
        }
    }

    fn take_answer(&mut self, received: &Received<'_>, answer: ReceivedAnswer<'_>) -> Option<News> {
        let channel = || answer.channel.clone().into_owned();
        match &*answer.kind {
            "subscribed" => {
                if let Some(connection) = &answer.connection_id {
                    self.is_known_as(connection);
                }
                let subscription = self.subscriptions.get_mut(&*answer.channel)?;
                let is_it = subscription.asked.as_deref() == answer.in_reply_to.as_deref();
                if !is_it || subscription.asked.is_none() {
                    return None; // a later one has been sent
                }
                subscription.asked = None;
                let was_known = core::mem::replace(&mut subscription.is_known, true);
                if answer.recovered != Some(true) {
                    subscription.position = position(&answer.place);
                    subscription.own.clear();
                }
                Some(News::Subscribed {
                    channel: channel(),
                    // Without history it cannot be known.
                    recovered: answer.recovered.or(was_known.then_some(false)),
                })
            }
            // Subscribed it is still; but something is missing.
            "missed" if answer.in_reply_to.is_none() && !answer.channel.is_empty() => {
                self.subscriptions.get(&*answer.channel)?;
                Some(News::Subscribed {
                    channel: channel(),
                    recovered: Some(false),
                })
            }
            "unsubscribed" => Some(News::Unsubscribed { channel: channel() }),
            "published" => {
                let position = position(&answer.place);
                if let Some(subscription) = self.subscriptions.get_mut(&*answer.channel)
                    && let Some(place) = &position
                {
                    subscription.publish(place);
                }
                Some(News::Published(EnvelopePublished {
                    channel: channel(),
                    position,
                    in_reply_to: answer.in_reply_to.map(Cow::into_owned),
                }))
            }
            "error" => {
                let in_reply_to = answer.in_reply_to.map(Cow::into_owned);
                let name = in_reply_to.as_ref();
                let asked = self.subscriptions.iter();
                let asked = asked.filter(|it| name.is_some() && it.1.asked.as_ref() == name);
                let channel = asked.map(|it| it.0.clone()).next();
                if let Some(channel) = &channel {
                    self.subscriptions.remove(channel);
                }
                Some(News::Refused(EnvelopeRefusal {
                    code: answer.code.into_owned(),
                    text: answer.text.into_owned(),
                    in_reply_to,
                    channel,
                }))
            }
            _ => Some(News::Message(EnvelopeMessage::new(received, Some(answer)))),
        }
    }

    fn is_known_as(&mut self, connection: &str) {
        if self.connections.back().is_none_or(|it| it != connection) {
            self.connections.push_back(connection.into());
        }
        if self.connections.len() > MOST_CONNECTIONS {
            self.connections.pop_front();
        }
    }
}

fn ask_for(channel: &str, subscription: &mut Subscription) -> (String, String) {
    let position = subscription.position.as_ref();
    let since = position.map(|it| (it.epoch.as_str(), it.offset));
    let (name, text) = written(&Ask::Subscribe { channel, since });
    subscription.asked = Some(name.clone());
    (name, text)
}
#[cfg(test)]
mod tests;
