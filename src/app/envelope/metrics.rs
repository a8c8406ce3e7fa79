//! The numbers of a hub.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::array;
use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use crate::app::publishing::hub::Hub;
use crate::app::telemetry::activity::SessionSnapshot;
use crate::envelope::ErrorCode;
use crate::net::exposition::{family, labelled, single};

/// Counters of a hub, which all its sessions share.
#[derive(Debug)]
pub(super) struct Counts {
    connections: AtomicU64,
    messages: AtomicU64,
    errors: [AtomicU64; ErrorCode::ALL.len()],
    /// Connections by the number of their session.
    open: Mutex<BTreeMap<u64, Uuid>>,
}

impl Counts {
    pub(super) fn new() -> Self {
        Self {
            connections: AtomicU64::new(0),
            messages: AtomicU64::new(0),
            errors: array::from_fn(|_| AtomicU64::new(0)),
            open: Mutex::default(),
        }
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<u64, Uuid>> {
        // Every change is one call of the map: a panic leaves it whole.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn opened(&self, session: u64, connection: Uuid) {
        self.connections.fetch_add(1, Ordering::Relaxed);
        self.open().insert(session, connection);
    }

    pub(super) fn closed(&self, session: u64) {
        self.open().remove(&session);
    }

    pub(super) fn processed(&self) {
        self.messages.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn refused(&self, code: ErrorCode) {
        let place = ErrorCode::ALL.iter().position(|it| *it == code);
        if let Some(count) = place.and_then(|at| self.errors.get(at)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn session_of(&self, connection: Uuid) -> Option<u64> {
        let open = self.open();
        let found = open.iter().find(|it| *it.1 == connection);
        found.map(|it| *it.0)
    }

    pub(super) fn snapshot(&self, hub: &Hub, namespace: &str) -> EnvelopeSnapshot {
        let open = self.open().clone();
        let sessions = hub.sessions().into_iter();
        let connections = sessions.filter_map(|session| {
            let id = *open.get(&session.id)?;
            Some(EnvelopeConnection { id, session })
        });
        let after = (!namespace.is_empty()).then_some(namespace);
        let channels = hub.channel_sizes(after, EnvelopeSnapshot::CHANNELS);
        let short = |(name, members): (String, usize)| {
            let name = name.strip_prefix(namespace)?;
            Some((String::from(name), members))
        };
        let channels = channels.into_iter().map_while(short);
        let errors = ErrorCode::ALL.into_iter().zip(&self.errors);
        EnvelopeSnapshot {
            connections_total: self.connections.load(Ordering::Relaxed),
            connections_active: open.len() as u64,
            messages: self.messages.load(Ordering::Relaxed),
            errors: errors
                .map(|(code, count)| (code, count.load(Ordering::Relaxed)))
                .collect(),
            channels_created: hub.channels_created(),
            channels: channels.collect(),
            connections: connections.collect(),
        }
    }
}

/// A connection of a hub.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnvelopeConnection {
    /// Its `sender_id` to others.
    pub id: Uuid,
    /// Its messages in and out, since when it is there, and when it was last heard.
    pub session: SessionSnapshot,
}

/// The numbers of a hub.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnvelopeSnapshot {
    /// Connections so far.
    pub connections_total: u64,
    /// Connections that are open.
    pub connections_active: u64,
    /// Messages of clients that were looked at.
    pub messages: u64,
    /// How often clients were told of an error.
    pub errors: Vec<(ErrorCode, u64)>,
    /// Channels of the app that were made so far, those of others among them.
    pub channels_created: u64,
    /// The hub's first channels in the order of their names, and their members: at most
    /// [`CHANNELS`](Self::CHANNELS).
    pub channels: Vec<(String, usize)>,
    /// The open connections, in no order.
    pub connections: Vec<EnvelopeConnection>,
}

impl EnvelopeSnapshot {
    /// Channels that a snapshot lists. [`Hub::channel_sizes`] has all, in pages.
    pub const CHANNELS: usize = 1_000;

    /// The numbers in Prometheus' text format, version 0.0.4. Connections are only counted
    /// there: they come and go.
    pub fn to_prometheus(&self) -> String {
        let mut out = String::new();
        let rows = [
            (
                "hub_connections_total",
                "Connections so far.",
                self.connections_total,
            ),
            (
                "hub_connections_active",
                "Connections open now.",
                self.connections_active,
            ),
            (
                "hub_messages_total",
                "Messages of clients that were looked at.",
                self.messages,
            ),
            (
                "hub_channels_created_total",
                "Channels that were made.",
                self.channels_created,
            ),
        ];
        for (name, help, value) in rows {
            single(name, help, value, &mut out);
        }
        let help = "Errors that clients were told of, by code.";
        family("hub_errors_total", help, &mut out);
        for (code, count) in &self.errors {
            let labels = format_args!("code=\"{code}\"");
            labelled("hub_errors_total", labels, *count, &mut out);
        }
        let help = "Members of the first channels, by name.";
        family("hub_channel_members", help, &mut out);
        for (channel, members) in &self.channels {
            // A name has no controls, and so no ends of lines.
            let name = channel.replace('\\', "\\\\").replace('"', "\\\"");
            let labels = format_args!("channel=\"{name}\"");
            labelled("hub_channel_members", labels, *members as u64, &mut out);
        }
        out
    }
}
