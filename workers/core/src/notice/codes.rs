//! By which codes and signatures of vendors an SMS goes: a code that is imported after a notice was written frees it, as long as the
//! code is that of the very text it was written from. Values never get into another template.

use super::desk::Candidate;
use super::template::{Form, Locale, TemplateKey, TemplateSet};
use super::{Channel, Notice, ProviderTemplate};
use crate::ports::notices::Content;

/// What was written, with what vendors have to be told of its template by the set in force where the text of that template is still
/// the one it was written from; else as it was written.
#[must_use]
pub fn with_codes_in_force(notice: &Notice, mut contents: Vec<Content>, set: &TemplateSet) -> Vec<Content> {
    let form = if notice.covers > 1 { Form::Combined } else { Form::Single };
    let Some(locale) = Locale::from_code(&notice.locale) else { return contents };
    let key = TemplateKey { kind: notice.kind, form, channel: Channel::Sms, locale };
    let Some(template) = set.get(&key) else { return contents };
    for content in &mut contents {
        if content.channel == Channel::Sms && content.template.as_ref() == Some(&template.text) {
            content.providers.clone_from(&template.providers);
        }
    }
    contents
}

impl Candidate {
    /// What that provider has to be told of the template of its SMS: as it was told with what may arrive, else as the content has it.
    pub(super) fn way(&self, provider: &str) -> Option<&ProviderTemplate> {
        let sms = self.notice.messages.iter().filter(|message| message.channel == Channel::Sms);
        let calls =
            sms.flat_map(|message| &message.attempts).filter(|one| one.provider == provider && one.may_arrive());
        let told = calls.filter_map(|one| one.sent_as.as_ref().map(|one| &one.way)).next_back();
        told.or_else(|| self.content(Channel::Sms)?.providers.get(provider))
    }
}
