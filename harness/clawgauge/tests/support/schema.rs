//! What is written is what the schema says, and nothing beside it.

use serde_json::{Value, json};

/// Holds a document to a definition of `clawgauge schema`: its types, and that every field of it is described.
pub(crate) fn assert_described(definition: &str, document: &Value) {
    let mut schema = clawgauge::schema::json_schema();
    close(&mut schema["$defs"][definition]);
    // As an editor takes it: the whole document, pointed at the definition.
    schema["$ref"] = json!(format!("#/$defs/{definition}"));
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{definition}: {}", errors.join("\n"));
}

/// A field that is not described is an error, and so is a description without words.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Object(fields)) = object.get("properties") {
                for (name, field) in fields {
                    let said = field.get("description").is_some_and(Value::is_string);
                    assert!(said || field.get("const").is_some(), "{name}: {field}");
                }
                object.insert("unevaluatedProperties".to_owned(), json!(false));
            }
            object.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
