//! Operations whose responses are events (graphql-sse).

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::any::Any;

use super::executor::{Executor, Operation};
use super::reserved::{Mail, Single};
use super::shared::{Shared, busy, listens};
use crate::app::event_streams::event_stream::EventStream;
use crate::app::event_streams::events::Events;
use crate::graphql::sse::{COMPLETE, NEXT};
use crate::link::EndReason;
use crate::sse::Event;

/// The object of an event stream.
pub(super) enum Source<E: Executor> {
    /// The responses of one operation, until it begins.
    One(Arc<Shared<E>>, Option<Operation>),
    /// Those of all operations of one token.
    Single(Single<E>),
}

impl<E: Executor> Events for Source<E> {
    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        match self {
            Self::One(shared, operation) => {
                if let Some(operation) = operation.take() {
                    begin(shared, operation, stream);
                }
            }
            Self::Single(single) => single.open(stream),
        }
    }

    fn mail(&mut self, stream: &mut EventStream<'_, '_>, mail: Box<dyn Any + Send>) {
        if let (Self::Single(single), Ok(mail)) = (self, mail.downcast::<Mail>()) {
            single.mail(stream, *mail);
        }
    }

    fn closed(&mut self, _: &mut EventStream<'_, '_>, _: EndReason) {
        if let Self::Single(single) = self {
            single.close();
        }
    }
}

/// Sends an event for each response, and that of the end.
fn begin<E: Executor>(shared: &Shared<E>, operation: Operation, stream: &mut EventStream<'_, '_>) {
    let end = |stream: &mut EventStream<'_, '_>| {
        stream.send(&Event::new("").event(COMPLETE));
        stream.finish();
    };
    let next = |response: &str, stream: &mut EventStream<'_, '_>| {
        stream.send(&Event::new(response).event(NEXT));
    };
    let begun = match listens(&operation) {
        true => stream.stream(
            shared.subscribe(operation),
            move |response, stream| match response {
                Some(response) => next(response.json(), stream),
                None => end(stream),
            },
        ),
        false => stream.future(shared.execute(operation), move |response, stream| {
            next(response.json(), stream);
            end(stream);
        }),
    };
    if let Err(error) = begun {
        next(busy(&error).json(), stream);
        end(stream);
    }
}
