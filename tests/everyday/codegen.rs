//! What the generator of typed services writes. That it compiles and works is shown by the
//! package `typed_service`.

use std::fs;
use std::path::{Path, PathBuf};

use barewire::codegen::{Builder, Config, Error};

const SHOP: &str = r#"
syntax = "proto3";
package shop.v1;
import "google/protobuf/empty.proto";

// Sells things.
service Shop {
  option deprecated = true;
  // Buys a thing. See [terms].
  rpc Buy(Thing) returns (google.protobuf.Empty) { option deprecated = true; }
  rpc List(google.protobuf.Empty) returns (stream Thing) {
    option idempotency_level = NO_SIDE_EFFECTS;
  }
}

message Thing { string name = 1; }
"#;

/// A folder with this file in it, and an empty one for the code.
fn folder(name: &str, proto: &str) -> (PathBuf, PathBuf) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    let out = folder.join("out");
    fs::create_dir_all(&out).unwrap();
    fs::write(folder.join("a.proto"), proto).unwrap();
    (folder, out)
}

fn generated(name: &str, change: impl Fn(Builder) -> Builder) -> (String, PathBuf) {
    let (folder, out) = folder(name, SHOP);
    let builder = change(Builder::new().out_dir(&out));
    builder
        .compile(&[folder.join("a.proto")], &[&folder])
        .unwrap();
    (fs::read_to_string(out.join("shop.v1.rs")).unwrap(), out)
}

/// The lines before the first that holds `what`, and that one.
fn before<'t>(text: &'t str, what: &str, lines: usize) -> Vec<&'t str> {
    let all: Vec<&str> = text.lines().map(str::trim).collect();
    let at = all.iter().position(|it| it.contains(what));
    let at = at.unwrap_or_else(|| panic!("no {what} in\n{text}"));
    all[at - lines..=at].to_vec()
}

#[test]
fn comments_and_options_are_carried_over() {
    let (code, _) = generated("carried", |it| it);
    let service = before(&code, "pub trait Shop", 2);
    assert_eq!(service[..2], ["/// Sells things.", "#[deprecated]"]);
    let method = before(&code, "fn buy(", 2);
    assert_eq!(
        method[..2],
        [r"/// Buys a thing. See \[terms\].", "#[deprecated]"]
    );
    assert_eq!(before(&code, "fn list(", 1)[0], "/// The method `List`.");
    assert_eq!(code.matches("no_side_effects(\"List\")").count(), 1);
    assert!(!code.contains("no_side_effects(\"Buy\")"));
    assert_eq!(code.matches("Payload for Thing").count(), 1);
}

#[test]
fn what_is_not_wanted_is_not_written() {
    let (server, out) = generated("server", |it| it.build_client(false).name("shop"));
    assert!(server.contains("mod shop_server") && !server.contains("mod shop_client"));
    let index = fs::read_to_string(out.join("shop.rs")).unwrap();
    assert!(index.contains("pub mod shop {") && index.contains("pub mod v1 {"));
    assert!(!index.contains("FILE_DESCRIPTOR_SET"));
    let (client, _) = generated("client", |it| it.build_server(false));
    assert!(client.contains("mod shop_client") && !client.contains("mod shop_server"));
}

#[test]
fn messages_are_written_as_the_options_of_prost_say() {
    let (code, _) = generated("options", |it| {
        let mut config = Config::new();
        config.type_attribute("shop.v1.Thing", "#[derive(Eq, Hash)]");
        it.config(config)
    });
    assert_eq!(
        before(&code, "pub struct Thing", 2)[0],
        "#[derive(Eq, Hash)]"
    );
}

#[test]
fn descriptors_are_what_reflection_takes() {
    let (_, out) = generated("descriptors", |it| it.descriptors(true));
    let index = fs::read_to_string(out.join("protos.rs")).unwrap();
    assert!(index.contains("pub const FILE_DESCRIPTOR_SET: &[u8]"));
    let set = fs::read(out.join("protos.binpb")).unwrap();
    let reflection = barewire::app::Reflection::new(&set).unwrap();
    let service = barewire::app::Service::new("shop.v1.Shop").unary_bytes("List", |_, _, _| Ok(()));
    let app = barewire::app::App::new().grpc(service.described_by(&reflection).unwrap());
    let routes = app.routes();
    let methods: Vec<_> = routes.iter().map(|it| it.method().unwrap()).collect();
    assert_eq!(methods, ["GET", "POST"], "it has no side effects");
}

#[test]
fn a_fault_is_told_with_its_place() {
    let (folder, out) = folder("fault", "syntax = \"proto3\";\n\nmessage {}\n");
    let build = || Builder::new().out_dir(&out);
    let error = build().compile(&[folder.join("a.proto")], &[&folder]);
    let Err(Error::Proto(text)) = error else {
        panic!("{error:?}")
    };
    assert!(text.contains("a.proto:3:9"), "{text}");
    let missing = build().compile(&["b.proto"], &[&folder]);
    let Err(Error::Proto(text)) = missing else {
        panic!("{missing:?}")
    };
    assert!(text.contains("b.proto"), "{text}");
    let nowhere = Builder::new().compile(&[folder.join("a.proto")], &[&folder]);
    assert!(matches!(nowhere, Err(Error::NoOutDir)), "{nowhere:?}");
}
