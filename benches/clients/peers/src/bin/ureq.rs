//! ureq 3, an agent for all threads.

use clients_common::{BUFFER, HELLO, Task, blocking, drain, unknown};
use ureq::Agent;

fn main() {
    let task = Task::from_arguments();
    let most = task.at_once;
    let agent: Agent = Agent::config_builder()
        .max_idle_connections(most)
        .max_idle_connections_per_host(most)
        .build()
        .into();
    match task.case.as_str() {
        "get" => blocking(&task, || {
            let (agent, url) = (agent.clone(), task.url("/"));
            move || {
                let mut response = agent.get(&url).call().expect("a response");
                let body = response.body_mut().read_to_vec().expect("a body");
                assert_eq!(body, HELLO.as_bytes());
            }
        }),
        "download" => blocking(&task, || {
            let (agent, url) = (agent.clone(), task.url("/download"));
            let mut buffer = vec![0; BUFFER];
            move || {
                let response = agent.get(&url).call().expect("a response");
                drain(response.into_body().into_reader(), &mut buffer);
            }
        }),
        _ => unknown(&task),
    }
}
