//! Operations on a WebSocket: `graphql-transport-ws` and the legacy `graphql-ws`.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::sync::Arc;
use core::cell::RefCell;

use super::executor::{Executor, Operation};
use super::guarded::connect;
use super::response::GraphQlResponse;
use super::shared::{Origin, Shared, busy, listens};
use crate::app::exchange::extensions::Extensions;
use crate::app::futures::jobs::FutureId;
use crate::app::futures::kept::FutureError;
use crate::app::publishing::message::Message;
use crate::app::sockets::socket::Socket;
use crate::app::sockets::websocket::{SocketEnd, WebSocket};
use crate::graphql::socket::{CloseCode, Closing, Protocol, Server, ServerEvent};
use crate::graphql::{Request, RequestError};
use crate::link::Charge;
use crate::websocket;
use crate::wire::json::members;

/// The object of a WebSocket.
pub(super) struct GraphQlSocket<E> {
    shared: Arc<Shared<E>>,
    extensions: Option<Arc<Extensions>>,
    init: Option<Arc<str>>,
    /// What the operations share; none on a WebSocket without a subprotocol.
    state: Option<Rc<RefCell<State>>>,
    /// For the ids of operations, and what was said at the beginning.
    charge: Charge,
}

struct State {
    machine: Server,
    running: BTreeMap<String, FutureId>,
    out: String,
}

impl<E> GraphQlSocket<E> {
    pub(super) const fn new(shared: Arc<Shared<E>>, extensions: Option<Arc<Extensions>>) -> Self {
        Self {
            shared,
            extensions,
            init: None,
            state: None,
            charge: Charge::NONE,
        }
    }
}

impl State {
    /// Has the machine write a message, and sends it.
    fn say<R>(
        &mut self,
        socket: &mut Socket<'_, '_>,
        act: impl FnOnce(&mut Server, &mut String) -> R,
    ) -> R {
        self.out.clear();
        let result = act(&mut self.machine, &mut self.out);
        if !self.out.is_empty() {
            socket.send(&*self.out);
        }
        self.out.shrink_to(4 << 10);
        result
    }

    /// Sends a response; it is the last one if it has no data.
    fn next(&mut self, id: &str, response: &GraphQlResponse, socket: &mut Socket<'_, '_>) {
        match errors_of(response) {
            None => {
                self.say(socket, |it, out| it.next(id, response.json(), out));
            }
            Some(errors) => {
                self.say(socket, |it, out| it.error(id, errors, out));
                self.forget(id, socket);
            }
        }
    }

    fn complete(&mut self, id: &str, socket: &mut Socket<'_, '_>) {
        self.say(socket, |it, out| it.complete(id, out));
        self.running.remove(id);
    }

    fn forget(&mut self, id: &str, socket: &mut Socket<'_, '_>) {
        if let Some(future) = self.running.remove(id) {
            socket.cancel(future);
        }
    }

    /// Stops all operations, and closes.
    fn close(&mut self, closing: &Closing, socket: &mut Socket<'_, '_>) {
        for future in core::mem::take(&mut self.running).into_values() {
            socket.cancel(future);
        }
        close(closing, socket);
    }
}

fn close(closing: &Closing, socket: &mut Socket<'_, '_>) {
    let code = websocket::CloseCode::new(closing.code.code());
    // Refused only if it is closing already.
    let _ = socket.close(code, &closing.reason);
}

/// The errors of a response without data.
fn errors_of(response: &GraphQlResponse) -> Option<&str> {
    if response.has_data {
        return None;
    }
    let found = members(response.json(), ["errors"]).ok();
    Some(found.and_then(|[errors]| errors).unwrap_or("[]"))
}

impl<E: Executor> GraphQlSocket<E> {
    fn receive(&mut self, text: &str, socket: &mut Socket<'_, '_>) {
        let Some(state) = self.state.clone() else {
            return;
        };
        let limits = &self.shared.limits;
        let received = state
            .borrow_mut()
            .say(socket, |it, out| it.receive(text, limits, out));
        match received {
            Err(closing) => state.borrow_mut().close(&closing, socket),
            Ok(None) => {}
            Ok(Some(ServerEvent::Init { payload })) => self.connect(payload, &state, socket),
            Ok(Some(ServerEvent::Complete { id })) => state.borrow_mut().forget(&id, socket),
            Ok(Some(ServerEvent::Subscribe {
                id,
                request,
                replaces,
            })) => {
                if replaces {
                    state.borrow_mut().forget(&id, socket);
                }
                self.begin(&id, request, &state, socket);
            }
        }
        let said = self.init.as_ref().map_or(0, |it| it.len());
        self.charge.set(said + state.borrow().machine.held());
    }

    /// A client says who it is.
    fn connect(
        &mut self,
        payload: Option<&str>,
        state: &Rc<RefCell<State>>,
        socket: &mut Socket<'_, '_>,
    ) {
        let accepted = connect(&*self.shared.executor, payload);
        let mut state = state.borrow_mut();
        let closing = match accepted {
            Some(Ok(answer)) => {
                self.init = payload.map(Arc::from);
                state.say(socket, |it, out| it.accept(answer.as_deref(), out));
                return;
            }
            Some(Err(reason)) => state.say(socket, |it, out| it.refuse(&reason, out)),
            None => state.machine.fail(),
        };
        state.close(&closing, socket);
    }

    fn begin(
        &self,
        id: &str,
        mut request: Request<'_>,
        state: &Rc<RefCell<State>>,
        socket: &mut Socket<'_, '_>,
    ) {
        if let Err(error) = self.shared.resolve(&mut request) {
            return refuse(id, error, &mut state.borrow_mut(), socket);
        }
        let origin = Origin {
            init: self.init.clone(),
            extensions: self.extensions.clone(),
            spawner: socket.spawner(),
        };
        let begun = match Shared::<E>::operation(request, origin, socket.charge()) {
            Ok(operation) => self.run(id, operation, state, socket),
            Err(_) => Err(FutureError::Memory),
        };
        let mut state = state.borrow_mut();
        match begun {
            Ok(future) if state.machine.is_live(id) => {
                state.running.insert(id.into(), future);
            }
            Ok(_) => {}
            Err(error) => state.next(id, &busy(&error), socket),
        }
    }

    fn run(
        &self,
        id: &str,
        operation: Operation,
        state: &Rc<RefCell<State>>,
        socket: &mut Socket<'_, '_>,
    ) -> Result<FutureId, FutureError> {
        let (state, id) = (state.clone(), String::from(id));
        if listens(&operation) {
            let stream = self.shared.subscribe(operation);
            return socket.stream(stream, move |response, socket| {
                let mut state = state.borrow_mut();
                match response {
                    Some(response) => state.next(&id, &response, socket),
                    None => state.complete(&id, socket),
                }
            });
        }
        socket.future(self.shared.execute(operation), move |response, socket| {
            let mut state = state.borrow_mut();
            state.next(&id, &response, socket);
            if response.has_data {
                state.complete(&id, socket);
            }
        })
    }
}

fn refuse(id: &str, error: RequestError, state: &mut State, socket: &mut Socket<'_, '_>) {
    let mut errors = String::from("[");
    error.write(&mut errors);
    errors.push(']');
    state.say(socket, |it, out| it.error(id, &errors, out));
}

impl<E: Executor> WebSocket for GraphQlSocket<E> {
    fn open(&mut self, socket: &mut Socket<'_, '_>) {
        self.charge = socket.charge();
        let Some(protocol) = socket.protocol().and_then(Protocol::named) else {
            let closing = Closing::from(CloseCode::SubprotocolNotAcceptable);
            return close(&closing, socket);
        };
        let limits = &self.shared.limits;
        let machine = Server::new(protocol, socket.now(), limits);
        self.state = Some(Rc::new(RefCell::new(State {
            machine,
            running: BTreeMap::new(),
            out: String::new(),
        })));
        socket.after(limits.init_time, 0);
    }

    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        // What is not text is not JSON.
        self.receive(message.as_text().unwrap_or_default(), socket);
    }

    fn timer(&mut self, socket: &mut Socket<'_, '_>, _token: u32) {
        if let Some(state) = &self.state {
            let mut state = state.borrow_mut();
            if let Err(closing) = state.machine.elapsed(socket.now()) {
                state.close(&closing, socket);
            }
        }
    }

    fn closed(&mut self, socket: &mut Socket<'_, '_>, _: SocketEnd<'_>) {
        if let Some(state) = &self.state {
            for future in core::mem::take(&mut state.borrow_mut().running).into_values() {
                socket.cancel(future);
            }
        }
    }
}
