//! XML that holds whatever a gateway answered.

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};

use base::text::visible;

/// What writes into memory.
pub(super) type Xml<'a> = Writer<&'a mut Vec<u8>>;

/// One element, as bytes and a line break.
pub(super) fn written(write: impl FnOnce(&mut Xml<'_>) -> io::Result<()>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    write(&mut Writer::new(&mut bytes))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// An element with what `inside` writes.
pub(super) fn element(
    writer: &mut Xml<'_>,
    name: &str,
    attributes: &[(&str, &str)],
    inside: impl FnOnce(&mut Xml<'_>) -> io::Result<()>,
) -> io::Result<()> {
    writer.write_event(Event::Start(start(name, attributes)))?;
    inside(writer)?;
    writer.write_event(Event::End(BytesEnd::new(name)))
}

/// An element with nothing in it.
pub(super) fn empty(
    writer: &mut Xml<'_>,
    name: &str,
    attributes: &[(&str, &str)],
) -> io::Result<()> {
    writer.write_event(Event::Empty(start(name, attributes)))
}

/// The start of an element. An attribute's line breaks would be lost, so that they are written out.
pub(super) fn start<'a, V: AsRef<str>>(name: &'a str, attributes: &[(&str, V)]) -> BytesStart<'a> {
    let mut start = BytesStart::new(name);
    for (name, value) in attributes {
        start.push_attribute((*name, visible(value.as_ref(), &[]).as_str()));
    }
    start
}

/// Text between tags. XML 1.0 has no way to write most control characters, so that they are written out.
pub(super) fn text(writer: &mut Xml<'_>, text: &str) -> io::Result<()> {
    let text = visible(text, &['\n', '\t']);
    writer.write_event(Event::Text(BytesText::new(&text)))
}

/// Writes the start of an element.
pub(super) fn write_event(out: &mut dyn Write, start: BytesStart<'_>) -> io::Result<()> {
    Writer::new(out).write_event(Event::Start(start))
}
