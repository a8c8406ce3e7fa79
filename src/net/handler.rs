//! The owner of connections.

use alloc::boxed::Box;
use core::any::Any;

use super::Context;
use crate::http::{Content, RequestHead};
use crate::link::Event;
use crate::websocket::Kind;

/// The owner of connections: it is told what happens on them.
///
/// Sessions lie in the handler itself; a connection carries a `u32` tag, the
/// handler's own number for it. A handler is made on its loop's thread and
/// stays there.
///
/// ```
/// use barewire::http::Fields;
/// use barewire::link::Event;
/// use barewire::net::{Context, Handler};
///
/// struct Echo;
///
/// impl Handler for Echo {
///     fn event(&mut self, context: &mut Context<'_>, event: Event<'_>) {
///         match event {
///             Event::Data(bytes) => drop(context.write(bytes)),
///             Event::HalfClosed => drop(context.finish(Fields::EMPTY)),
///             _ => {}
///         }
///     }
/// }
/// ```
pub trait Handler {
    /// Something happened on an exchange of this owner's.
    fn event(&mut self, context: &mut Context<'_>, event: Event<'_>);

    /// [`Event::Request`], which is large: here its head lies where it was read.
    /// By default it is passed to [`event`](Self::event).
    fn request<'b>(
        &mut self,
        context: &mut Context<'_>,
        head: &RequestHead<'b>,
        content: Content<'b>,
    ) {
        let head = *head;
        self.event(context, Event::Request { head, content });
    }

    /// [`Event::Message`], of which there are many. By default it is passed to
    /// [`event`](Self::event).
    fn message(&mut self, context: &mut Context<'_>, kind: Kind, payload: &mut [u8]) {
        self.event(context, Event::Message { kind, payload });
    }

    /// The input of a connection has all been handed over in [`event`](Self::event)s,
    /// for now, and the output leaves next. The context is that of the last of them.
    /// Called once for each batch: the place for work that is done once for many
    /// requests.
    fn served(&mut self, context: &mut Context<'_>) {
        let _ = context;
    }

    /// Everything that was written before [`Context::on_departure`] has left, except
    /// `unsent` bytes, which will not. These are bytes of the exchange's content that
    /// waited for its stream or for the kernel when it was over. On HTTP/2, bytes of
    /// other streams that stand before its last one are counted too. The context is
    /// for no connection.
    fn departed(&mut self, context: &mut Context<'_>, parcel: Box<dyn Any>, unsent: u64) {
        let _ = (context, parcel, unsent);
    }

    /// This handler has panicked in a call with this context: the place to
    /// clear up. The loop answers in its place, if it still can, and then ends
    /// the exchange without telling it so. `is_last` if the event was
    /// [`Ended`](crate::link::Event::Ended), or for no connection.
    fn panicked(&mut self, context: &mut Context<'_>, is_last: bool) {
        let _ = (context, is_last);
    }
}
