//! The conversation with one client.
//!
//! ```text
//!  message ──► Request::parse ──► subscribe ──► join ───► now or later: subscribed
//!                   │            broadcast ──► publish ─► now or later: published
//!                   │            ...
//!                   └─ fault, refusal ──► error
//! ```

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use core::any::Any;

use uuid::Uuid;

use super::call::EnvelopeCall;
use super::envelope_hub::{EnvelopeHub, Handler};
use super::format::Note;
use super::voice::say;
use crate::app::channels::channel_limits::ChannelError;
use crate::app::channels::format::Delivery;
use crate::app::channels::position::Position;
use crate::app::channels::slow::Missed;
use crate::app::publishing::join::{ChannelAnswer, Join, Joined, Published};
use crate::app::publishing::message::Message;
use crate::app::publishing::post::Post;
use crate::app::sockets::socket::Socket;
use crate::app::sockets::websocket::WebSocket;
use crate::envelope::{Answer, ErrorCode, Fault, Request, Since, Want};
use crate::websocket::CloseCode;
use crate::wire::Budget;
use crate::wire::partly_shown;

/// The session of one client of an [`EnvelopeHub`].
pub struct EnvelopeSession {
    hub: Arc<EnvelopeHub>,
    connection_id: Uuid,
    user: Box<str>,
    subscribed: Budget,
    /// Requests that are answered later, by their tokens.
    waiting: BTreeMap<u32, Waiting>,
    last_token: u32,
    /// The number of its session, once it is open.
    session: Option<u64>,
}

struct Waiting {
    in_reply_to: Option<String>,
    /// A subscribe that says what the client has got.
    is_back: bool,
}

partly_shown!(it: EnvelopeSession { connection: it.connection_id });

/// The place of a publication, as mail: told after all that was published before it.
struct Placed {
    channel: String,
    position: Position,
    in_reply_to: Option<String>,
}

impl EnvelopeSession {
    pub(super) fn new(hub: Arc<EnvelopeHub>, user: Box<str>) -> Self {
        Self {
            hub,
            connection_id: Uuid::new_v4(),
            user,
            subscribed: Budget::new(),
            waiting: BTreeMap::new(),
            last_token: 0,
            session: None,
        }
    }

    fn refuse(
        &self,
        socket: &mut Socket<'_, '_>,
        in_reply_to: Option<&str>,
        code: ErrorCode,
        text: &str,
    ) {
        self.hub.refused(code);
        let code = code.as_str();
        say(socket, &Answer::Error { code, text }, in_reply_to);
    }

    fn refuse_channel(
        &self,
        socket: &mut Socket<'_, '_>,
        in_reply_to: Option<&str>,
        error: ChannelError,
    ) {
        self.refuse(socket, in_reply_to, code_of(error), &error.to_string());
    }

    /// A token for a request that may be answered later; `None` if too many are.
    fn token(&mut self, in_reply_to: Option<&str>, is_back: bool) -> Option<u32> {
        if self.waiting.len() >= self.hub.rules().waiting {
            return None;
        }
        self.last_token = self.last_token.wrapping_add(1);
        let in_reply_to = in_reply_to.map(String::from);
        let waiting = Waiting {
            in_reply_to,
            is_back,
        };
        self.waiting.insert(self.last_token, waiting);
        Some(self.last_token)
    }

    fn ask(&mut self, socket: &mut Socket<'_, '_>, request: &Request<'_>) {
        let name = request.message_id.as_deref();
        match &request.want {
            Want::Subscribe { channel, .. }
            | Want::Unsubscribe { channel }
            | Want::Broadcast { channel, .. } => {
                let hub = self.hub.clone();
                match hub.full(channel) {
                    Ok(full) => self.ask_channel(socket, name, &full, &request.want),
                    Err(error) => self.refuse_channel(socket, name, error),
                }
            }
            Want::Other { kind, data } => {
                let hub = self.hub.clone();
                self.call(socket, name, hub.handler(kind), data, &[]);
            }
            Want::Binary(bytes) => {
                let hub = self.hub.clone();
                self.call(socket, name, hub.binary_handler(), "null", bytes);
            }
            Want::Ping => say(socket, &Answer::Pong, name),
            Want::Pong => {}
            Want::Close => {
                // Refused only if it is closing already.
                let _ = socket.close(CloseCode::NORMAL, "");
            }
        }
    }

    fn ask_channel(
        &mut self,
        socket: &mut Socket<'_, '_>,
        name: Option<&str>,
        channel: &str,
        want: &Want<'_>,
    ) {
        match want {
            Want::Subscribe { since, .. } => self.subscribe(socket, name, channel, since),
            Want::Unsubscribe { .. } => self.unsubscribe(socket, name, channel),
            Want::Broadcast { data, .. } => self.broadcast(socket, name, channel, data),
            _ => {}
        }
    }

    /// Whether the client may subscribe or unsubscribe once more now.
    fn may_change(&mut self, socket: &mut Socket<'_, '_>, name: Option<&str>) -> bool {
        let rate = self.hub.rules().subscribes();
        let may = self.subscribed.spend(1, rate, socket.now());
        if !may {
            let text = "the client subscribes too fast";
            self.refuse(socket, name, ErrorCode::TooFast, text);
        }
        may
    }

    fn subscribe(
        &mut self,
        socket: &mut Socket<'_, '_>,
        name: Option<&str>,
        channel: &str,
        since: &Since<'_>,
    ) {
        if !self.may_change(socket, name) {
            return;
        }
        let is_back = !matches!(since, Since::Now);
        let Some(token) = self.token(name, is_back) else {
            return self.refuse(socket, name, ErrorCode::TooFast, TOO_MANY_WAIT);
        };
        let join = match since {
            Since::Now => Join::new(),
            Since::Offset { epoch, offset } => match epoch.parse() {
                Ok(epoch) => Join::new().since(Position::new(epoch, *offset)),
                Err(_) => Join::new().since_nowhere(),
            },
            Since::Unreadable => Join::new().since_nowhere(),
        };
        if is_back {
            // A member that asks for what it missed joins anew.
            socket.leave(channel);
        }
        let join = join.user(&self.user).token(token);
        let joined = socket.join_with(channel, &join);
        self.has_joined(socket, token, channel, joined);
    }

    /// Answers a subscribe, unless that is for later.
    fn has_joined(
        &mut self,
        socket: &mut Socket<'_, '_>,
        token: u32,
        channel: &str,
        joined: Result<Joined, ChannelError>,
    ) {
        if matches!(joined, Ok(Joined::Later)) {
            return;
        }
        let waiting = self.waiting.remove(&token);
        let name = waiting.as_ref().and_then(|it| it.in_reply_to.as_deref());
        let standing = match joined {
            Ok(joined) => joined.standing(),
            Err(error) => return self.refuse_channel(socket, name, error),
        };
        let position = standing.and_then(|it| it.position);
        // A channel without history recovers nothing.
        let nothing = waiting.as_ref().is_some_and(|it| it.is_back);
        let recovered = standing.and_then(|it| it.recovered);
        let recovered = recovered.or(nothing.then_some(false));
        let epoch = position.map(|it| it.epoch.to_string());
        let answer = Answer::Subscribed {
            channel: self.hub.short(channel),
            place: epoch.as_deref().zip(position.map(|it| it.offset)),
            recovered,
            connection_id: &self.connection_id,
        };
        say(socket, &answer, name);
    }

    fn unsubscribe(&mut self, socket: &mut Socket<'_, '_>, name: Option<&str>, channel: &str) {
        if self.may_change(socket, name) {
            socket.leave(channel);
            let channel = self.hub.short(channel);
            let answer = Answer::Unsubscribed { channel };
            say(socket, &answer, name);
        }
    }

    fn broadcast(
        &mut self,
        socket: &mut Socket<'_, '_>,
        name: Option<&str>,
        channel: &str,
        data: &str,
    ) {
        let Some(token) = self.token(name, false) else {
            return self.refuse(socket, name, ErrorCode::TooFast, TOO_MANY_WAIT);
        };
        let note = Note::new(Some(self.connection_id));
        let post = Post::new(data).note(note.as_bytes()).token(token);
        let published = socket.publish_to_others(channel, post);
        let result = match published {
            Published::Later => return,
            Published::Done { position, .. } => Ok(position),
            Published::Refused(error) => Err(error),
        };
        self.was_published(socket, token, channel, result);
    }

    fn was_published(
        &mut self,
        socket: &mut Socket<'_, '_>,
        token: u32,
        channel: &str,
        result: Result<Option<Position>, ChannelError>,
    ) {
        let waiting = self.waiting.remove(&token);
        let in_reply_to = waiting.and_then(|it| it.in_reply_to);
        match result {
            Ok(None) => {
                let (channel, place) = (self.hub.short(channel), None);
                let answer = Answer::Published { channel, place };
                say(socket, &answer, in_reply_to.as_deref());
            }
            Ok(Some(position)) => {
                let placed = Placed {
                    channel: channel.into(),
                    position,
                    in_reply_to: in_reply_to.clone(),
                };
                if socket.handle().mail(placed).is_err() {
                    self.say_placed(socket, channel, position, in_reply_to.as_deref());
                }
            }
            Err(error) => self.refuse_channel(socket, in_reply_to.as_deref(), error),
        }
    }

    fn say_placed(
        &self,
        socket: &mut Socket<'_, '_>,
        channel: &str,
        position: Position,
        in_reply_to: Option<&str>,
    ) {
        let channel = self.hub.short(channel);
        let place = Some((&*position.epoch.to_string(), position.offset));
        let answer = Answer::Published { channel, place };
        say(socket, &answer, in_reply_to);
    }

    fn call(
        &self,
        socket: &mut Socket<'_, '_>,
        name: Option<&str>,
        handler: Option<&Handler>,
        data: &str,
        bytes: &[u8],
    ) {
        let Some(handler) = handler else {
            let text = "nobody here knows this type";
            return self.refuse(socket, name, ErrorCode::UnknownType, text);
        };
        handler(&mut EnvelopeCall {
            connection_id: self.connection_id,
            socket,
            message_id: name,
            data,
            bytes,
        });
    }
}

const TOO_MANY_WAIT: &str = "too many requests wait for their answers";

const fn code_of(error: ChannelError) -> ErrorCode {
    match error {
        ChannelError::NameTooLong | ChannelError::InvalidName => ErrorCode::BadChannel,
        ChannelError::TooManyJoined
        | ChannelError::TooManyChannels
        | ChannelError::TooManyMembers
        | ChannelError::Exhausted(_) => ErrorCode::TooMany,
        ChannelError::TooFast => ErrorCode::TooFast,
        ChannelError::Refused => ErrorCode::NotAllowed,
        ChannelError::Unsendable | ChannelError::DataTooLong => ErrorCode::TooLarge,
        ChannelError::Unavailable => ErrorCode::Unavailable,
        ChannelError::Unknown => ErrorCode::Unknown,
    }
}

impl WebSocket for EnvelopeSession {
    fn delivery(&self) -> Delivery {
        self.hub.delivery()
    }

    fn open(&mut self, socket: &mut Socket<'_, '_>) {
        self.session = Some(socket.id());
        if let Err(error) = socket.identify(&self.user) {
            // Its rules would take it for nobody.
            let _ = socket.close(CloseCode::POLICY_VIOLATION, &error.to_string());
        }
        self.hub.counts().opened(socket.id(), self.connection_id);
    }

    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        self.hub.counts().processed();
        let hub = self.hub.clone();
        match Request::parse(message.payload(), hub.rules()) {
            Ok(request) => self.ask(socket, &request),
            Err(fault) => {
                let Fault {
                    code,
                    text,
                    in_reply_to,
                } = fault;
                self.refuse(socket, in_reply_to.as_deref(), code, text);
            }
        }
    }

    fn mail(&mut self, socket: &mut Socket<'_, '_>, mail: Box<dyn Any + Send>) {
        if let Ok(placed) = mail.downcast::<Placed>() {
            let Placed {
                channel,
                position,
                in_reply_to,
            } = *placed;
            self.say_placed(socket, &channel, position, in_reply_to.as_deref());
        }
    }

    fn missed(&mut self, socket: &mut Socket<'_, '_>, missed: Missed<'_>) {
        let answer = Answer::Missed {
            channel: self.hub.short(missed.channel),
            publications: missed.publications,
        };
        say(socket, &answer, None);
    }

    fn joined(&mut self, socket: &mut Socket<'_, '_>, answer: ChannelAnswer<'_, Joined>) {
        let ChannelAnswer {
            channel,
            token,
            result,
        } = answer;
        self.has_joined(socket, token, channel, result);
    }

    fn published(
        &mut self,
        socket: &mut Socket<'_, '_>,
        answer: ChannelAnswer<'_, Option<Position>>,
    ) {
        let ChannelAnswer {
            channel,
            token,
            result,
        } = answer;
        self.was_published(socket, token, channel, result);
    }
}

impl Drop for EnvelopeSession {
    /// It ends so as well where a handler has panicked.
    fn drop(&mut self) {
        if let Some(session) = self.session {
            self.hub.counts().closed(session);
        }
    }
}
