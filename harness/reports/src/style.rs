//! Colours, switched off in one place.

use anstyle::{AnsiColor, Color, Style};

/// Paints text, or leaves it as it is.
#[derive(Debug, Clone, Copy)]
pub struct Paint {
    /// Whether colours are wanted.
    pub color: bool,
}

impl Paint {
    fn with(self, style: Style, text: &str) -> String {
        if self.color {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    fn colored(self, color: AnsiColor, text: &str) -> String {
        self.with(Style::new().fg_color(Some(Color::Ansi(color))), text)
    }

    /// Something is as it should be.
    pub fn good(self, text: &str) -> String {
        self.colored(AnsiColor::Green, text)
    }

    /// Something is wrong.
    pub fn bad(self, text: &str) -> String {
        self.with(
            Style::new()
                .bold()
                .fg_color(Some(Color::Ansi(AnsiColor::Red))),
            text,
        )
    }

    /// Something wants attention.
    pub fn warn(self, text: &str) -> String {
        self.colored(AnsiColor::Yellow, text)
    }

    /// Something is less important.
    pub fn dim(self, text: &str) -> String {
        self.with(Style::new().dimmed(), text)
    }

    /// A heading.
    pub fn bold(self, text: &str) -> String {
        self.with(Style::new().bold(), text)
    }
}
