//! The table of the compiler's own codes: one row per code, one page per row in `explain/`.

use super::Level;

/// One row of the table.
#[derive(Debug)]
pub struct Row {
    pub code: &'static str,
    /// Kebab-case name, as in `S0201 unknown-key`.
    pub name: &'static str,
    pub level: Level,
    /// The page that `sitec explain` prints.
    pub page: &'static str,
}

/// A code of the compiler's own; an index into [`TABLE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Code(pub usize);

impl Code {
    pub fn row(self) -> &'static Row {
        &TABLE[self.0]
    }
}

macro_rules! codes {
    ($($constant:ident = $code:literal $name:literal $level:ident;)*) => {
        /// Numbers the rows.
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Index { $($constant),* }
        $(pub const $constant: Code = Code(Index::$constant as usize);)*
        /// Every code, in order.
        pub const TABLE: &[Row] = &[$(Row {
            code: $code,
            name: $name,
            level: Level::$level,
            page: include_str!(concat!("explain/", $code, ".md")),
        }),*];
    };
}

/// Finds a row by code (`S0201`, any case) or by name (`unknown-key`).
pub fn find(text: &str) -> Option<&'static Row> {
    TABLE.iter().find(|r| r.code.eq_ignore_ascii_case(text) || r.name == text)
}

// S00xx reading and syntax, S01xx overlay, S02xx schema and types, S03xx names and ranges,
// S04xx checks on the site, S05xx checks on the Ir, S06xx packs, S07xx templates and escaping,
// S08xx read-back, S09xx writing, S10xx waivers and questions.
codes! {
    NOTHING_READ = "S0000" "cannot-read" Error;
    NOT_UTF8 = "S0001" "not-utf8" Error;
    SYNTAX = "S0002" "syntax" Error;
    EMPTY = "S0003" "empty-file" Error;
    DUPLICATE_KEY = "S0004" "duplicate-key" Error;
    TOO_DEEP = "S0005" "too-deep" Error;
    TOO_LARGE = "S0006" "too-large" Error;
    ALIAS_BOMB = "S0007" "alias-bomb" Error;
    UNSUPPORTED_SYNTAX = "S0008" "unsupported-syntax" Error;
    AMBIGUOUS_SCALAR = "S0009" "ambiguous-scalar" Warning;
    SEVERAL_DOCUMENTS = "S0010" "several-documents" Error;
    EXTENDS_MISSING = "S0101" "extends-missing" Error;
    EXTENDS_CYCLE = "S0102" "extends-cycle" Error;
    UNKNOWN_KEY = "S0201" "unknown-key" Error;
    WRONG_TYPE = "S0202" "wrong-type" Error;
    NOT_ONE_OF = "S0203" "not-one-of" Error;
    MISSING_KEY = "S0204" "missing-key" Error;
    OUT_OF_BOUNDS = "S0205" "out-of-bounds" Error;
    MALFORMED = "S0206" "malformed-value" Error;
    SPEC_VERSION = "S0207" "spec-version" Error;
    REPEATED_ITEM = "S0208" "repeated-item" Error;
    UNKNOWN_NAME = "S0301" "unknown-name" Error;
    MALFORMED_RANGE = "S0302" "malformed-range" Error;
    RANGE_TOO_LARGE = "S0303" "range-too-large" Error;
    RANGE_MISMATCH = "S0304" "range-mismatch" Error;
    AMBIGUOUS_RANGE = "S0305" "ambiguous-range" Error;
    GLOB_MATCHES_NOTHING = "S0306" "glob-matches-nothing" Error;
    UNKNOWN_PACK = "S0307" "unknown-pack" Error;
    DUPLICATE_ADDRESS = "S0401" "duplicate-address" Error;
    ADDRESS_OUTSIDE_NETWORK = "S0402" "address-outside-network" Error;
    RESERVED_ADDRESS = "S0403" "reserved-address" Error;
    GATEWAY_AS_HOST = "S0404" "gateway-as-host" Warning;
    NETWORK_OVERLAP = "S0405" "network-overlap" Warning;
    RANGE_OVERLAP = "S0406" "range-overlap" Error;
    DOCKER_RANGE = "S0407" "docker-range" Warning;
    GATEWAY_OUTSIDE = "S0408" "gateway-outside-network" Error;
    HOST_AS_EXTERNAL = "S0409" "host-as-external" Warning;
    NAME_NOT_COVERED = "S0413" "name-not-covered" Error;
    HOST_NAME = "S0414" "invalid-host-name" Warning;
    UNKNOWN_SYSTEM = "S0415" "unknown-system" Warning;
    HOST_WITHOUT_NETWORK = "S0416" "host-without-network" Warning;
    SKEW = "S0418" "version-skew" Warning;
    RUNTIME = "S0419" "runtime-without-cri" Warning;
    MIXED_ARCH = "S0420" "mixed-architectures" Warning;
    SECRET_IN_SPEC = "S0422" "secret-in-spec" Error;
    CERTIFICATE_AND_KEY = "S0423" "certificate-and-key" Warning;
    CONFLICT = "S0501" "conflicting-items" Error;
    CLAIM_CONFLICT = "S0502" "claim-conflict" Error;
    WITHOUT_EFFECT = "S0503" "addition-without-effect" Error;
    BOUNDARY_BLOCKS = "S0505" "boundary-blocks-flow" Error;
    UNDECLARED_ROLE = "S0510" "undeclared-database-name" Error;
    DATABASE_SHARED = "S0511" "shared-database" Warning;
    ENGINE_WITHOUT_SCRIPT = "S0512" "engine-without-script" Warning;
    TOO_MANY_CONNECTIONS = "S0513" "too-many-connections" Warning;
    CHART_UNREADABLE = "S0520" "chart-unreadable" Error;
    CHART_KEY = "S0521" "chart-key" Error;
    CHART_VERSION = "S0522" "chart-version" Error;
    CHART_SCHEMA = "S0523" "chart-schema" Error;
    PORT_CONFLICT = "S0530" "port-conflict" Error;
    NODE_PORT_RANGE = "S0531" "node-port-outside-range" Error;
    NODE_PORT_TAKEN = "S0532" "node-port-taken" Error;
    EPHEMERAL_RANGE = "S0533" "ephemeral-range" Warning;
    NODE_PORTS_TAKE_FIXED = "S0534" "node-port-range-too-wide" Warning;
    PRIVILEGED_PORT = "S0535" "privileged-port" Warning;
    PUBLISHED_OUTSIDE = "S0536" "published-outside-cluster" Error;
    VOLUME_WITHOUT_EXPORT = "S0537" "volume-without-export" Error;
    EXPORT_OUT_OF_REACH = "S0538" "export-out-of-reach" Error;
    EXPORT_TO_NOBODY = "S0539" "export-to-nobody" Warning;
    MOUNT_DISAGREES = "S0540" "mount-disagrees" Error;
    QUOTA_WITHOUT_SERVICE = "S0541" "quota-without-service" Warning;
    NESTED_EXPORTS = "S0542" "nested-exports" Warning;
    TWO_OWNERS = "S0543" "two-owners" Warning;
    EXPORT_OPTIONS = "S0544" "contradictory-export-options" Error;
    BEYOND_DISK = "S0545" "beyond-the-disk" Warning;
    VIRTUAL_HOST_TWICE = "S0546" "virtual-host-twice" Warning;
    KUBERNETES_NAME = "S0547" "kubernetes-name" Error;
    IMAGE_NOT_MIRRORED = "S0548" "image-not-mirrored" Error;
    UNPINNED_IMAGE = "S0549" "unpinned-image" Warning;
    FLOW_WITHOUT_WAY = "S0550" "flow-without-way" Warning;
    OPENS_WIDE = "S0551" "addition-opens-wide" Warning;
    UNUSED = "S0552" "unused-entry" Warning;
    UNKNOWN_FACT = "S0553" "unknown-fact" Warning;
    POOLER_UNUSED = "S0554" "pooler-unused" Warning;
    ACCESS_NOT_COVERED = "S0555" "access-not-covered" Error;
    ROLE_WITHOUT_DATABASE = "S0556" "role-without-database" Warning;
    DEFAULTS_DISAGREE = "S0557" "defaults-disagree" Warning;
    BESIDE_FILESYSTEMS = "S0558" "beside-the-file-systems" Warning;
    LOCKED_OUT = "S0560" "locked-out" Error;
    FORM_UNFIT = "S0561" "form-unfit" Error;
    FORM_UNUSED = "S0562" "form-unused" Warning;
    FORM_TOO_WIDE = "S0564" "form-too-wide" Warning;
    FORM_CANNOT_CARRY = "S0565" "form-cannot-carry" Error;
    FLOW_OF_NO_COMPONENT = "S0566" "flow-of-no-component" Note;
    NAME_AT_TWO_PLACES = "S0567" "name-at-two-places" Warning;
    IMAGE_ARCHITECTURE = "S0568" "image-architecture" Error;
    ONE_ARCHITECTURE = "S0569" "one-architecture-copied" Warning;
    EMPTY_END = "S0570" "empty-end" Error;
    FAMILIES_APART = "S0571" "families-apart" Error;
    REQUEST_WITHOUT_OWNER = "S0572" "request-without-owner" Question;
    REDUNDANT_ADDITION = "S0575" "redundant-addition" Warning;
    CONTRADICTORY_RULES = "S0576" "contradictory-rules" Warning;
    UNDECLARED_REFERENCE = "S0580" "undeclared-reference" Error;
    UNDECLARED_IN_STACK = "S0581" "undeclared-in-stack" Error;
    EXTERNAL_IN_STACK = "S0582" "external-in-stack" Error;
    UNREACHED_PORT = "S0583" "unreached-port" Warning;
    OBJECT_FIELD = "S0584" "object-field" Error;
    NODE_OF_TWO = "S0585" "node-of-two-clusters" Warning;
    ARCHITECTURE_UNSAID = "S0586" "architecture-unsaid" Note;
    PACK_UNKNOWN_KEY = "S0601" "pack-unknown-key" Error;
    PACK_MISSING_KEY = "S0602" "pack-missing-key" Error;
    PACK_WRONG_TYPE = "S0603" "pack-wrong-type" Error;
    PACK_SOURCE = "S0604" "pack-without-source" Error;
    PACK_UNKNOWN_CITE = "S0605" "pack-unknown-citation" Error;
    PACK_UNKNOWN_NAME = "S0606" "pack-unknown-name" Error;
    PACK_DUPLICATE = "S0607" "pack-duplicate" Error;
    PACK_UNUSED = "S0608" "pack-unused" Error;
    PACK_CYCLE = "S0609" "pack-cycle" Error;
    PACK_BROKEN = "S0610" "pack-broken" Error;
    PACK_EVALUATION = "S0611" "pack-evaluation" Error;
    PACK_COLLISION = "S0612" "pack-collision" Error;
    EXPR_SYNTAX = "S0620" "expression-syntax" Error;
    EXPR_UNKNOWN_NAME = "S0621" "unknown-variable" Error;
    EXPR_UNKNOWN_ATTRIBUTE = "S0622" "unknown-attribute" Error;
    EXPR_UNKNOWN_FUNCTION = "S0623" "unknown-function" Error;
    EXPR_ARGUMENTS = "S0624" "wrong-arguments" Error;
    EXPR_UNLIKE = "S0625" "unlike-types" Error;
    EXPR_ARITHMETIC = "S0626" "wrong-arithmetic" Error;
    EXPR_CONDITION = "S0627" "not-a-condition" Error;
    EXPR_LITERAL = "S0628" "malformed-literal" Error;
    EXPR_OPERAND = "S0629" "wrong-operand" Error;
    EXPR_UNSUPPORTED = "S0630" "unsupported-expression" Error;
    EXPR_EVAL = "S0631" "evaluation-failed" Error;
    EXPR_TOO_LARGE = "S0632" "expression-too-large" Error;
    TEMPLATE_SYNTAX = "S0701" "template-syntax" Error;
    TEMPLATE_STATEMENT = "S0702" "template-statement" Error;
    TEMPLATE_CAPTURE = "S0703" "captured-text" Error;
    TEMPLATE_INCLUDE = "S0704" "template-include" Error;
    TEMPLATE_MACRO = "S0705" "template-macro" Error;
    TEMPLATE_POSITION = "S0706" "interpolation-position" Error;
    TEMPLATE_CONTEXT = "S0707" "interpolation-filter" Error;
    TEMPLATE_TOO_LARGE = "S0708" "template-too-large" Error;
    TEMPLATE_NOTHING = "S0710" "nothing-to-write" Error;
    TEMPLATE_OPEN_CONDITION = "S0711" "open-condition" Error;
    TEMPLATE_RUNAWAY = "S0712" "runaway-template" Error;
    UNWRITABLE = "S0730" "unwritable-value" Error;
    UNREADABLE_ARTIFACT = "S0801" "unreadable-artifact" Error;
    ARTIFACT_DIFFERS = "S0802" "artifact-differs" Error;
    DANGLING_PATH = "S0803" "dangling-path" Error;
    EDITED_BY_HAND = "S0901" "edited-by-hand" Error;
    IN_THE_WAY = "S0902" "in-the-way" Error;
    LINK_IN_OUTPUT = "S0903" "link-in-output" Error;
    UNSAFE_PATH = "S0904" "unsafe-path" Error;
    UNREADABLE_MANIFEST = "S0905" "unreadable-manifest" Error;
    IMMUTABLE_CHANGED = "S0906" "immutable-changed" Error;
    STALE_OUTPUT = "S0907" "stale-output" Error;
    STRAY_FILE = "S0908" "stray-file" Error;
    UNFINISHED_OUTPUT = "S0909" "unfinished-output" Error;
    OPEN_QUESTION = "S1001" "open-question" Question;
    UNUSED_WAIVER = "S1002" "unused-waiver" Warning;
    WAIVER_REFUSED = "S1003" "waiver-not-allowed" Error;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_unique_and_in_order() {
        for pair in TABLE.windows(2) {
            assert!(pair[0].code < pair[1].code, "{} stands before {}", pair[0].code, pair[1].code);
        }
        let mut names: Vec<_> = TABLE.iter().map(|r| r.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TABLE.len(), "two codes have one name");
        assert!(names.iter().all(|n| n.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')));
    }

    #[test]
    fn every_code_has_a_whole_page() {
        for row in TABLE {
            let title = format!("# {} {}\n", row.code, row.name);
            assert!(row.page.starts_with(&title), "the page of {} begins with `{}`", row.code, title.trim());
            let parts: Vec<&str> = row.page.lines().filter(|l| l.starts_with("## ")).collect();
            assert_eq!(
                parts,
                ["## Why it matters", "## Wrong", "## Right", "## The way out"],
                "the parts of the page of {}",
                row.code
            );
            let sections: Vec<&str> = row.page.split("\n## ").collect();
            assert!(sections.iter().all(|s| s.trim().lines().count() >= 2), "a part of {} is empty", row.code);
            assert!(row.page.ends_with('\n'), "{}", row.code);
        }
    }
}
