//! The command line: arguments in, a command run, an exit code out.

mod levels;

use std::ffi::OsString;
use std::process::ExitCode;

use camino::Utf8PathBuf;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::cmd::{self, Exit, Shell, Stop};
pub use levels::Strictness;

/// Compiles one site spec into every artifact of a customer's site.
///
/// The spec is one YAML, TOML or JSON file that says what stands at the site: networks, hosts, clusters, storage,
/// databases, and which products are to run there. From it come the files that somebody must put somewhere: exports,
/// fstab lines, firewall tables, proxy configuration, Kubernetes YAML, Helm values, a runbook.
#[derive(Debug, Parser)]
#[command(name = "sitec", version, max_term_width = 100, after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub global: Global,
}

const EXAMPLES: &str = "\
Examples:
  sitec init demo > site.yaml          a first spec, with comments
  sitec check site.yaml                what is wrong, and which answers are missing
  sitec questions site.yaml            the missing answers, to be sent to those who have them
  sitec build site.yaml                write everything to out/<site>/
  sitec diff site.yaml                 what a build would change, and which flows it would open
  sitec why site.yaml RUNBOOK.md:12    where a line comes from, in the spec and in the pack
  sitec can site.yaml users proxy1 443 whether traffic is permitted, and by what
  sitec explain S0201                  what a code means, and how to get out

Where a command takes SPEC, a folder stands for every site.yaml below it.

Exit codes: 0 fine; 1 errors in the spec, differences, or a stale tree; 2 wrong usage, or a file that cannot be read
or written; 101 a bug of sitec.";

/// Options of every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// How to report findings
    #[arg(long, global = true, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    /// Whether to use colours; `auto` respects NO_COLOR, CLICOLOR and the terminal
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub color: Color,
    /// Draw reports with ASCII characters only
    #[arg(long, global = true)]
    pub ascii: bool,
    /// Columns after which reports are wrapped [default: those of the terminal]
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(40..))]
    pub width: Option<u16>,
    /// The most findings to show, the gravest ones; all are counted
    #[arg(long, global = true, value_name = "N", default_value_t = 100)]
    pub limit: usize,
    /// Show all findings
    #[arg(long, global = true, conflicts_with = "limit")]
    pub all: bool,
    /// A folder with packs of your own, one folder each; they go before the packs that are built in
    #[arg(long, global = true, value_name = "DIR")]
    pub packs: Vec<Utf8PathBuf>,
    /// The most threads to use; the result never depends on it [default: as many as the machine offers]
    #[arg(long, global = true, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub threads: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// With the lines of the spec
    Human,
    /// One line per finding: `file:line:column: level[code]: message`
    Short,
    /// One JSON document on standard output; `schema/findings.schema.json` describes it
    Json,
    /// A SARIF 2.1.0 log on standard output, for code reviews and scanners (`check` and `build`)
    Sarif,
    /// Workflow commands of GitHub Actions on standard output, one annotation per finding
    Github,
    /// A page to send to those who can answer (`questions`)
    Markdown,
    /// A table with a column for the answers (`questions`)
    Csv,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Build(BuildArgs),
    Check(CheckArgs),
    Questions(QuestionsArgs),
    Diff(DiffArgs),
    Show(ShowArgs),
    Why(WhyArgs),
    Can(CanArgs),
    Explain(ExplainArgs),
    Schema(SchemaArgs),
    Packs(PacksArgs),
    Init(InitArgs),
    Completions(CompletionsArgs),
}

/// Write the artifacts of a site to OUT/<site>/.
///
/// Only what an earlier build wrote is replaced or removed. A file that was edited by hand stops the build and is
/// shown; files of your own are left alone and named. A build that is interrupted is finished by the next one.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sitec build site.yaml
  sitec build site.yaml --out /media/usb      write to /media/usb/<site>/
  sitec build sites/                          every site.yaml below a folder, each on its own
  sitec build site.yaml --check               exit 1 unless out/<site>/ is exactly what a build would write
  sitec build site.yaml --strict              refuse to write while questions are open")]
pub struct BuildArgs {
    /// The spec, or a folder of specs
    pub spec: Utf8PathBuf,
    /// The folder that gets <site>/
    #[arg(long, short, value_name = "DIR", default_value = "out")]
    pub out: Utf8PathBuf,
    /// Write nothing; exit 1 when the folder is stale, edited, unfinished, or has files of others
    #[arg(long, conflicts_with = "force")]
    pub check: bool,
    /// Replace files that were edited by hand, or that stand in the way
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    pub strictness: Strictness,
}

/// Say everything that is wrong with a spec, and every question that it leaves open; write nothing.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sitec check site.yaml
  sitec check site.yaml --deny questions      exit 1 while questions are open
  sitec check site.yaml --deny warnings --allow S0009     the last word about a finding counts
  sitec check sites/ --format json            for other programs
  sitec check site.yaml --format sarif > site.sarif       for code reviews
  sitec check site.yaml --format github       annotations in GitHub Actions
  sitec check site.yaml --fix --dry-run       what would be put right, as a diff
  sitec check site.yaml --fix                 put right what is safe, in the spec and in what it extends")]
pub struct CheckArgs {
    /// The spec, or a folder of specs
    pub spec: Utf8PathBuf,
    /// Apply the replacements that are safe, and say which; everything else in the files stays as it is
    #[arg(long)]
    pub fix: bool,
    /// With `--fix`: print the changes as a diff, and write nothing
    #[arg(long, requires = "fix")]
    pub dry_run: bool,
    #[command(flatten)]
    pub strictness: Strictness,
}

/// List what a spec leaves unanswered: who can answer, where the answer belongs, and what waits for it.
///
/// As Markdown, to be sent to the customer, or as CSV with an empty column for the answers.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sitec questions site.yaml > questions.md
  sitec questions site.yaml --format csv > questions.csv
  sitec questions site.yaml --who customer    only what the customer can answer")]
pub struct QuestionsArgs {
    /// The spec, or a folder of specs
    pub spec: Utf8PathBuf,
    /// Only the questions that this one can answer; may be repeated
    #[arg(long)]
    pub who: Vec<String>,
}

/// Show what a spec changes: against the tree on disk, or against another spec.
///
/// Unified diffs, sorted by host, then the flows that open or close. Exit 1 when there are differences.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sitec diff site.yaml                        what the next build changes in out/<site>/
  sitec diff old/site.yaml new/site.yaml      what lies between two specs
  git show main:site.yaml > /tmp/old.yaml && sitec diff /tmp/old.yaml site.yaml")]
pub struct DiffArgs {
    /// The spec; with SPEC2 the older one
    pub spec: Utf8PathBuf,
    /// The newer spec
    pub spec2: Option<Utf8PathBuf>,
    /// The folder that has <site>/
    #[arg(long, short, value_name = "DIR", default_value = "out", conflicts_with = "spec2")]
    pub out: Utf8PathBuf,
}

/// Print a part of the resolved site: ranges expanded, names bound, defaults applied.
///
/// Each value says where it comes from: a line of the spec, or whose default it is.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sitec show site.yaml                        everything
  sitec show site.yaml /hosts/w03             one host out of a range
  sitec show site.yaml /storage/userdata/nfs_version --format json")]
pub struct ShowArgs {
    /// The spec
    pub spec: Utf8PathBuf,
    /// A JSON Pointer into the resolved site, such as /hosts/w03/memory
    #[arg(default_value = "", hide_default_value = true)]
    pub pointer: String,
}

/// Say why a line of an artifact is as it is: the lines of the spec and of the pack that it comes from.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sitec why site.yaml firewall/flows.csv:7
  sitec why site.yaml out/acme-lyon/hosts/nfs1/root/etc/fstab:3
  sitec why site.yaml RUNBOOK.md              every line of the file")]
pub struct WhyArgs {
    /// The spec
    pub spec: Utf8PathBuf,
    /// A file of the tree, and a line of it
    #[arg(value_name = "FILE[:LINE]")]
    pub place: String,
}

/// Say whether the site permits traffic, and which lines of the spec and of the packs decide it.
///
/// An end is a host, a network, an external endpoint, a cluster (its nodes), `cluster:NAME` (its pods), an address, a
/// CIDR, `any`, or `INSTANCE/NAME`: a component, or an end as firewall/flows.md calls it. Exit 0 when all of the traffic
/// is permitted, 1 when some of it or nothing is.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sitec can site.yaml users proxy1 443
  sitec can site.yaml w03 nfs1 111/udp
  sitec can site.yaml w01 w02 esp
  sitec can site.yaml 10.20.0.0/16 pg1 5432-5433/tcp
  sitec can site.yaml any nfs1 2049           who reaches the NFS server?")]
pub struct CanArgs {
    /// The spec
    pub spec: Utf8PathBuf,
    /// Who opens the connection
    pub from: String,
    /// To whom
    pub to: String,
    /// Port or ports, TCP unless it says otherwise; or a protocol without ports: `esp`, `icmp`
    #[arg(value_name = "PORT[-PORT][/tcp|udp|sctp]")]
    pub port: String,
}

/// Explain a code: what is wrong, why it matters, how to get out. Without a code, list them all.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sitec explain S0201
  sitec explain unknown-key
  sitec explain demo/memory                   a requirement of a pack")]
pub struct ExplainArgs {
    /// A code, or its name
    pub code: Option<String>,
}

/// Print the JSON Schema of the spec, or make an editor use it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sitec schema > site.schema.json             what every spec may say
  sitec schema site.yaml                      the same, with the settings of the packs that the spec uses
  sitec schema --install site.yaml            write the schema beside the spec, and the line for editors into it")]
pub struct SchemaArgs {
    /// The spec whose packs extend the schema
    #[arg(conflicts_with = "install")]
    pub spec: Option<Utf8PathBuf>,
    /// Write the schema beside this spec, and a comment into the spec that tells editors so
    #[arg(long, value_name = "SPEC")]
    pub install: Option<Utf8PathBuf>,
}

/// List the packs, print what one knows, or begin a new one.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sitec packs
  sitec packs show demo
  sitec packs coverage demo                   the same by sections of its document, with what is left out
  sitec packs new myproduct                   make a folder with a pack that compiles
  sitec build site.yaml --packs .             use the packs in this folder")]
pub struct PacksArgs {
    #[command(subcommand)]
    pub action: Option<PacksAction>,
}

#[derive(Debug, Subcommand)]
pub enum PacksAction {
    /// Print what a pack knows: components, flows, requirements, questions, artifacts, with citations
    Show {
        /// The pack's name
        name: String,
    },
    /// Print what each section of a pack's document has come to, and what of it is left out, as Markdown
    Coverage {
        /// The pack's name
        name: String,
        /// Write it to COVERAGE.md in the pack's folder
        #[arg(long)]
        write: bool,
        /// Write nothing; exit 1 unless COVERAGE.md is what would be written
        #[arg(long, conflicts_with = "write")]
        check: bool,
    },
    /// Make a folder with a small pack that compiles
    New {
        /// The pack's name: lower-case letters, digits and hyphens
        name: String,
        /// The folder that gets <name>/
        #[arg(long, value_name = "DIR", default_value = ".")]
        dir: Utf8PathBuf,
    },
}

/// Print a first spec with comments, for the packs that are to be used.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sitec init demo > site.yaml
  sitec check site.yaml                       the questions that it leaves open")]
pub struct InitArgs {
    /// The packs to use
    #[arg(value_name = "PACK")]
    pub pack: Vec<String>,
}

/// Print a completion script for a shell.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sitec completions bash > /etc/bash_completion.d/sitec
  sitec completions zsh > ~/.zfunc/_sitec")]
pub struct CompletionsArgs {
    pub shell: clap_complete::Shell,
}

/// Parses arguments, the program's name first, and runs the command.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(e) => {
            // Help and version are no mistakes; clap knows which stream and which code. A closed pipe is fine.
            let _ = e.print();
            return ExitCode::from(if e.use_stderr() { Exit::Usage.code() } else { Exit::Fine.code() });
        }
    };
    let shell = Shell::new(&cli.global);
    let result = match &cli.command {
        command if !fits(cli.global.format, command) => {
            let format = cli.global.format.to_possible_value().map(|v| v.get_name().to_owned()).unwrap_or_default();
            Err(Stop::Usage(format!("`--format {format}` is not for this command; see its `--help`")))
        }
        Command::Build(args) => cmd::build::run(args, &shell),
        Command::Check(args) => cmd::check::run(args, &shell),
        Command::Questions(args) => cmd::questions::run(args, &shell),
        Command::Diff(args) => cmd::diff::run(args, &shell),
        Command::Show(args) => cmd::show::run(args, &shell),
        Command::Why(args) => cmd::why::run(args, &shell),
        Command::Can(args) => cmd::can::run(args, &shell),
        Command::Explain(args) => cmd::explain::run(args, &shell),
        Command::Schema(args) => cmd::schema::run(args, &shell),
        Command::Packs(args) => cmd::packs::run(args, &shell),
        Command::Init(args) => cmd::init::run(args, &shell),
        Command::Completions(args) => cmd::completions::run(args, &shell, Cli::command()),
    };
    let exit = result.unwrap_or_else(|stop| match stop {
        Stop::Closed => Exit::Fine,
        Stop::Usage(message) => {
            shell.complain(&message);
            Exit::Usage
        }
    });
    ExitCode::from(exit.code())
}

/// Whether a command has something to say in a format.
fn fits(format: Format, command: &Command) -> bool {
    match format {
        Format::Human | Format::Short | Format::Json => true,
        Format::Sarif | Format::Github => matches!(command, Command::Check(_) | Command::Build(_)),
        Format::Markdown | Format::Csv => matches!(command, Command::Questions(_)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_examples_that_parse() {
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_help().unwrap_or_else(|| panic!("`{}` has no examples", command.get_name()));
            for line in help.to_string().lines().filter(|line| line.starts_with("  sitec ")) {
                let line = line.split(" > ").next().unwrap_or(line).trim();
                // What follows two spaces is a remark.
                let arguments = line.split("  ").next().unwrap_or(line).split(' ');
                if let Err(e) = Cli::try_parse_from(arguments) {
                    panic!("`{line}`: {e}");
                }
            }
        }
    }
}
