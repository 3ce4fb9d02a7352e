//! What is wrong with a file, and where: the errors that [`super::Catalogue`] reports.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::data::Data;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};

/// A file that was read, kept so that errors can show its lines.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Path relative to the data root, with forward slashes.
    pub name: String,
    /// The whole text.
    pub text: Arc<str>,
    /// Where its lines end.
    ends: Arc<[usize]>,
}

impl SourceFile {
    /// Reads a file of a data root.
    ///
    /// # Errors
    /// A [`Problem`] without a place where the file cannot be read or is not UTF-8.
    pub fn read(data: &Data, name: &str) -> Result<Self, Problem> {
        match data.read(name) {
            Ok(text) => Ok(Self::new(name, &text)),
            Err(error) => Err(Problem::nowhere(format!("cannot read {name}: {error}"))),
        }
    }

    pub(crate) fn new(name: &str, text: &str) -> Self {
        let ends = text.match_indices('\n').map(|(at, _)| at);
        Self {
            name: name.to_owned(),
            text: text.into(),
            ends: ends.collect(),
        }
    }

    /// The line number (from 1) of a byte offset.
    pub fn line(&self, offset: usize) -> usize {
        1 + self.ends.partition_point(|end| *end < offset)
    }

    /// The first place where `needle` stands at or after `from`.
    pub(crate) fn find(&self, needle: &str, from: usize) -> Option<Range<usize>> {
        let start = from + self.text.get(from..)?.find(needle)?;
        Some(start..start + needle.len())
    }
}

/// One thing that is wrong: what, where, and what to do.
#[derive(Debug, Clone)]
pub struct Problem {
    message: String,
    place: Option<Box<Place>>,
    help: Option<String>,
}

/// Where something is wrong.
#[derive(Debug, Clone)]
struct Place {
    file: SourceFile,
    span: Range<usize>,
    /// Written under the offending text.
    label: String,
}

impl Problem {
    /// A problem at a place in a file; `label` is written under the offending text.
    pub fn at(
        file: &SourceFile,
        span: Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> Self {
        let place = Place {
            file: file.clone(),
            span,
            label: label.into(),
        };
        Self {
            message: message.into(),
            place: Some(Box::new(place)),
            help: None,
        }
    }

    /// A problem that has no place in any file.
    pub fn nowhere(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            place: None,
            help: None,
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// `file:line`, if it has a place.
    pub fn location(&self) -> Option<String> {
        let place = self.place.as_ref()?;
        Some(format!(
            "{}:{}",
            place.file.name,
            place.file.line(place.span.start)
        ))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.location() {
            Some(location) => write!(f, "{location}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for Problem {}

/// All problems found in one go; never empty when returned as an error.
#[derive(Debug, Clone, Default)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// `Ok(value)` if nothing is wrong.
    ///
    /// # Errors
    /// The problems, where there are any.
    pub fn into_result<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(self)
        }
    }

    /// Renders every problem with the offending text underlined.
    pub fn render(&self, color: bool) -> String {
        let theme = if color {
            GraphicalTheme::unicode()
        } else {
            GraphicalTheme::unicode_nocolor()
        };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_width(usize::MAX / 2)
            .with_context_lines(1);
        let mut out = String::new();
        for problem in &self.0 {
            let report = WithSource(problem);
            if handler.render_report(&mut out, &report).is_err() {
                out.push_str(&problem.to_string());
            }
            out.push('\n');
        }
        let count = self.0.len();
        out.push_str(&format!(
            "{count} problem{} in the scenario files\n",
            if count == 1 { "" } else { "s" }
        ));
        out
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

/// A problem together with its source text, which `miette` wants to own by reference.
#[derive(Debug)]
struct WithSource<'a>(&'a Problem);

impl fmt::Display for WithSource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for WithSource<'_> {}

impl Diagnostic for WithSource<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0
            .help
            .as_ref()
            .map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.0
            .place
            .as_ref()
            .map(|place| &place.file as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let place = self.0.place.as_ref()?;
        let label = LabeledSpan::new_with_span(Some(place.label.clone()), place.span.clone());
        Some(Box::new(std::iter::once(label)))
    }
}

impl SourceCode for SourceFile {
    fn read_span<'a>(
        &'a self,
        span: &miette::SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn miette::SpanContents<'a> + 'a>, miette::MietteError> {
        let inner = self.text.as_ref().read_span(span, before, after)?;
        Ok(Box::new(miette::MietteSpanContents::new_named(
            self.name.clone(),
            inner.data(),
            *inner.span(),
            inner.line(),
            inner.column(),
            inner.line_count(),
        )))
    }
}
