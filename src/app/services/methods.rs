//! The code behind the name of a method.

use alloc::{boxed::Box, sync::Arc, vec::Vec};

use super::call::Call;
use super::codec::{CallStatus, Payload};
use super::responses::Source;

/// The code that a method's name leads to.
pub(super) enum Method {
    Message(Arc<OnMessage>),
    Messages(Arc<OnHead>),
}

/// What is known of a method's messages.
#[derive(Clone, Copy)]
pub(super) struct Messages {
    /// The names of their codec; any name will do if there is no codec.
    pub(super) codecs: &'static [&'static str],
    /// Their types, of request and response.
    pub(super) types: Option<[&'static str; 2]>,
}

impl Messages {
    pub(super) const BYTES: Self = Self {
        codecs: &[],
        types: None,
    };

    pub(super) fn of<I: Payload, O: Payload>() -> Self {
        Self {
            codecs: I::CODECS,
            types: Some([I::type_name(), O::type_name()]),
        }
    }
}

/// A method's treatment of a request's message. If it answers immediately, it appends
/// its message.
pub(super) type OnMessage =
    dyn Fn(&[u8], &mut Call<'_>, &mut Vec<u8>) -> Result<Answer, CallStatus> + Send + Sync;

/// A method's treatment of a request's head.
pub(super) type OnHead = dyn Fn(&mut Call<'_>) -> Result<Box<dyn Source>, CallStatus> + Send + Sync;

pub(super) enum Answer {
    Message,
    Stream(Box<dyn Source>),
    /// One message, which will be posted.
    Later,
}
