//! The owner of connections.

use super::Context;
use crate::link::Event;

/// What owns connections and is told what happens on them.
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
}
