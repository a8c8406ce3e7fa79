//! Code as it is written: lines with indentation.

use std::format;
use std::string::String;

/// Appends a template's lines at a level of indentation, with `{name}` replaced by what
/// `values` have for it.
pub(super) fn put(buf: &mut String, level: usize, template: &str, values: &[(&str, &str)]) {
    let mut text = String::from(template);
    for (name, value) in values {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    for line in text.lines() {
        if !line.is_empty() {
            (0..level).for_each(|_| buf.push_str("    "));
            buf.push_str(line);
        }
        buf.push('\n');
    }
}

/// `UserService` as `user_service`.
pub(super) fn snake(camel: &str) -> String {
    let mut snake = String::new();
    for (at, letter) in camel.chars().enumerate() {
        if letter.is_uppercase() && at > 0 {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}
