//! The tasks of a loop.

use alloc::rc::Rc;
use alloc::sync::Arc;
use core::panic::AssertUnwindSafe;
use core::task::Poll;
use std::panic::catch_unwind;

use super::asker::Asker;
use super::spawner::{Arrival, Home, Membership, Spawner, Task};
use crate::app::telemetry::metrics::Block;
use crate::link::Charge;
use crate::net::report::report;
use crate::net::{Claim, Context, FutureSlot, Key, Slab};

/// The number by which the loop is told that tasks have arrived.
pub(crate) const ARRIVED: u64 = u64::MAX;

/// The tasks of one loop that are not ready yet.
pub(crate) struct Tasks {
    home: Rc<Home>,
    running: Slab<Running>,
}

struct Running {
    /// None while it is polled.
    task: Option<Task>,
    slot: Rc<FutureSlot>,
    asker: Asker,
    group: Option<Arc<Membership>>,
    _claim: Claim,
    _charge: Charge,
}

/// The tasks of an exchange, which are dropped with this.
pub(crate) struct Group {
    spawner: Spawner,
    membership: Arc<Membership>,
}

impl Drop for Group {
    fn drop(&mut self) {
        self.spawner.end(&self.membership);
    }
}

impl Tasks {
    pub(crate) const fn new(home: Rc<Home>) -> Self {
        Self {
            home,
            running: Slab::new(),
        }
    }

    /// A spawner of tasks of the app.
    pub(crate) fn spawner(&self) -> Spawner {
        self.home.spawner()
    }

    /// Tasks of the exchange at hand, and what begins them.
    pub(crate) fn group(&self, context: &Context<'_>) -> (Group, Spawner) {
        let (spawner, membership) = self.spawner().of_exchange(context);
        let group = Group {
            spawner: spawner.clone(),
            membership,
        };
        (group, spawner)
    }

    /// Polls the task of this number, or takes in those that have arrived.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>, metrics: &Block, token: u64) {
        if token != ARRIVED {
            return self.poll_one(token, metrics);
        }
        let (arrived, ended) = self.home.take();
        for arrival in arrived {
            let Arrival {
                task,
                asker,
                claim,
                group,
            } = arrival;
            if group.as_ref().is_some_and(|it| it.is_over()) {
                continue;
            }
            let slot = Rc::new(context.task_slot(0));
            let charge = context.charge_loop(size_of_val(&*task));
            let key = self.running.insert(Running {
                task: Some(task),
                slot: slot.clone(),
                asker,
                group: group.clone(),
                _claim: claim,
                _charge: charge,
            });
            let token = key.to_u64();
            context.aim_task(&slot, token);
            if let Some(group) = group {
                group.tasks().push(token);
            }
            slot.waker().wake(); // its turn comes with that of the others
        }
        for group in ended {
            let tasks = core::mem::take(&mut *group.tasks());
            for token in tasks {
                drop(self.running.remove(Key::from_u64(token)));
            }
        }
    }

    fn poll_one(&mut self, token: u64, metrics: &Block) {
        let key = Key::from_u64(token);
        let Some(running) = self.running.get_mut(key) else {
            return;
        };
        let (Some(mut task), slot) = (running.task.take(), running.slot.clone()) else {
            return;
        };
        let asker = running.asker;
        let poll = AssertUnwindSafe(|| asker.poll(&slot, |context| task.as_mut().poll(context)));
        match catch_unwind(poll) {
            Ok(Poll::Pending) => {
                if let Some(running) = self.running.get_mut(key) {
                    running.task = Some(task);
                }
                return;
            }
            Ok(Poll::Ready(())) => {}
            Err(_) => {
                metrics.panicked();
                report!(Error, "a task has panicked, and is dropped");
            }
        }
        let ended = self.running.remove(key);
        if let Some(group) = ended.and_then(|it| it.group) {
            group.tasks().retain(|other| *other != token);
        }
    }
}
