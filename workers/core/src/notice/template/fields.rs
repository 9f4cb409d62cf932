//! The fields of one table of a file of templates: taken one by one, and whatever is wrong with any of them is noted, so that one
//! fault hides no other.

use super::Problem;
use std::collections::BTreeMap;

/// The fields of a table that were not taken yet.
pub(super) struct Fields {
    place: String,
    left: toml::Table,
    wrong: Vec<Problem>,
}

impl Fields {
    /// Of a table that stands there.
    pub(super) fn of(place: &str, table: toml::Table) -> Self {
        Self { place: place.to_owned(), left: table, wrong: Vec::new() }
    }

    /// What is found from now on is told under this name.
    pub(super) fn belong_to(&mut self, place: &str) {
        place.clone_into(&mut self.place);
    }

    /// Something is wrong.
    pub(super) fn wrong(&mut self, what: &str) {
        self.wrong.push(Problem { place: self.place.clone(), what: what.to_owned() });
    }

    fn taken<T>(&mut self, name: &str, form: &str, read: impl FnOnce(&toml::Value) -> Option<T>) -> Option<T> {
        let value = self.left.remove(name)?;
        let read = read(&value);
        if read.is_none() {
            self.wrong(&format!("`{name}` is {value}; write {form}"));
        }
        read
    }

    /// A text, where it is there.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.taken(name, "a text in quotes", |value| value.as_str().map(str::to_owned))
    }

    /// A text that has to be there.
    pub(super) fn needed(&mut self, name: &str) -> Option<String> {
        if !self.left.contains_key(name) {
            self.wrong(&format!("missing field `{name}`; add it"));
        }
        self.text(name)
    }

    /// A list of texts, where it is there.
    pub(super) fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        self.taken(name, "a list of texts, such as [\"amount\", \"policy\"]", |value| {
            value.as_array()?.iter().map(|one| one.as_str().map(str::to_owned)).collect()
        })
    }

    /// A number from 1 on, where it is there.
    pub(super) fn count(&mut self, name: &str) -> Option<u32> {
        self.taken(name, "a whole number from 1 on", |value| {
            u32::try_from(value.as_integer()?).ok().filter(|count| *count > 0)
        })
    }

    /// `true`; without it no.
    pub(super) fn yes(&mut self, name: &str) -> bool {
        self.taken(name, "true or false", toml::Value::as_bool).unwrap_or_default()
    }

    /// Tables of one name (`[[name]]`).
    pub(super) fn tables(&mut self, name: &str) -> Vec<toml::Table> {
        let tables = self.taken(name, &format!("each as a table, [[{name}]]"), |value| {
            value.as_array()?.iter().map(|one| one.as_table().cloned()).collect()
        });
        tables.unwrap_or_default()
    }

    /// Tables by names of the user's (`[name.theirs]`), each read by `read`.
    pub(super) fn named_tables<T>(&mut self, name: &str, read: impl Fn(&mut Self) -> T) -> BTreeMap<String, T> {
        let named = self.taken(name, &format!("a table for each, such as {name}.main.code = \"…\""), |value| {
            let member = |(name, one): (&String, &toml::Value)| Some((name.clone(), one.as_table()?.clone()));
            value.as_table()?.iter().map(member).collect::<Option<BTreeMap<String, toml::Table>>>()
        });
        let mut found = BTreeMap::new();
        for (theirs, table) in named.unwrap_or_default() {
            let mut fields = Self::of(&format!("{} {name}.{theirs}", self.place), table);
            found.insert(theirs, read(&mut fields));
            fields.end(&mut self.wrong);
        }
        found
    }

    /// Nothing else is known here: what is left is told of, and all that was wrong.
    pub(super) fn end(mut self, problems: &mut Vec<Problem>) {
        let left: Vec<String> = self.left.keys().cloned().collect();
        for name in left {
            self.wrong(&format!("unknown field `{name}`; see config/notices/templates.toml for the form"));
        }
        problems.append(&mut self.wrong);
    }
}
