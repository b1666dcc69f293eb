//! `--deny`, `--warn`, `--allow` and `--strict`: arguments in, wishes about levels in the order of the command line out.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};

use crate::diag::Level;
use crate::diag::levels::Wish;

/// Which findings count as what. Of several wishes about one finding the last one counts.
#[derive(Clone, Debug, Default)]
pub struct Strictness {
    /// Wishes with the level or code that they are about, as it was written.
    pub wishes: Vec<(Wish, String)>,
}

const WISHES: [(Wish, &str, &str); 3] = [
    (
        Wish::Deny,
        "deny",
        "Treat a level (`warnings`, `questions`, `notes`) or a code (`S0009`, `demo/memory`) as an error",
    ),
    (Wish::Warn, "warn", "Treat a level or a code as a warning"),
    (Wish::Allow, "allow", "Do not report a level or a code; errors that no waiver may silence stay"),
];

impl Args for Strictness {
    fn augment_args(command: Command) -> Command {
        let command = WISHES.iter().fold(command, |command, (_, name, help)| {
            let arg = Arg::new(*name).long(*name).value_name("LEVEL|CODE").action(ArgAction::Append);
            command.arg(arg.help(*help))
        });
        let strict = Arg::new("strict").long("strict").action(ArgAction::SetTrue);
        command
            .arg(strict.help("Treat warnings and questions as errors; what is said about single codes goes before it"))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Strictness {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut wishes: Vec<(usize, Wish, String)> = Vec::new();
        for (wish, name, _) in WISHES {
            let places = matches.indices_of(name).into_iter().flatten();
            let values = matches.get_many::<String>(name).into_iter().flatten();
            wishes.extend(places.zip(values).map(|(place, value)| (place, wish, value.clone())));
        }
        wishes.sort_by_key(|(place, ..)| *place);
        let mut list = Vec::new();
        if matches.get_flag("strict") {
            list.extend([Level::Warning, Level::Question].map(|level| (Wish::Deny, level.name().to_owned())));
        }
        list.extend(wishes.into_iter().map(|(_, wish, about)| (wish, about)));
        Ok(Self { wishes: list })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
