use crate::app::Metrics;
use crate::http::{Method, Status};
use crate::net::{Limits, Loop, Scripted};
use core::time::Duration;

#[test]
fn every_sample_has_its_family_and_buckets_add_up() {
    let metrics = Metrics::default();
    let block = metrics.join();
    for time in [Duration::from_millis(1), Duration::from_secs(100)] {
        block.answered(Method::GET, Status::OK);
        block.took(time, 1);
    }
    let events = Loop::with_poller(Scripted::new(), Limits::DEFAULT).unwrap();
    metrics.join_handshakes(events.handshakes());
    metrics.join_compression(events.compression());
    metrics.join_resources(events.resources());
    let text = metrics.snapshot().to_prometheus();
    assert!(text.contains("barewire_handshakes_started_total{loop=\"0\"} 0\n"));
    assert!(text.contains("barewire_websocket_deflated_messages_total{loop=\"0\"} 0\n"));
    let refused = "barewire_resources_refused_total{loop=\"0\",resource=\"futures\"} 0\n";
    assert!(text.contains(refused));
    assert!(text.contains("barewire_http_requests_total{method=\"GET\",status=\"200\"} 2\n"));
    assert!(text.contains("_bucket{le=\"0.001\"} 1\n"));
    assert!(text.contains("_bucket{le=\"60\"} 1\n"));
    assert!(text.contains("_bucket{le=\"+Inf\"} 2\n"));
    assert!(text.contains("barewire_http_request_duration_seconds_count 2\n"));
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(value.parse::<f64>().is_ok(), "{line}");
        let name = name.split('{').next().unwrap();
        let base = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| name.strip_suffix(end));
        let family = std::format!("# TYPE {} ", base.unwrap_or(name));
        assert!(text.contains(&family), "{line}");
    }
}
