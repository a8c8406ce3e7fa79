//! The server's own messages: answers, errors and notices.

use alloc::string::String;

use uuid::Uuid;

use crate::app::channels::clock::unix_millis;
use crate::app::sockets::socket::Socket;
use crate::envelope::{Answer, Head};

pub(super) fn written(answer: &Answer<'_>, in_reply_to: Option<&str>) -> String {
    let head = Head {
        message_id: Uuid::new_v4(),
        unix_millis: unix_millis(),
        sender_id: None,
    };
    let mut out = String::new();
    answer.write(&head, in_reply_to, &mut out);
    out
}

pub(super) fn say(socket: &mut Socket<'_, '_>, answer: &Answer<'_>, in_reply_to: Option<&str>) {
    // Refused only if it is over.
    let _ = socket.send(written(answer, in_reply_to).as_str());
}
