//! Text of a file of HCL → its arguments and blocks as a tree, and every name in it that something else must declare.

mod expression;
mod reader;

use super::fault::{Fault, Read};
use reader::Reader;

/// What stands between the braces of a block, or in a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Body {
    pub arguments: Vec<Argument>,
    pub blocks: Vec<Block>,
}

/// `name = expression`.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    pub name: String,
    pub value: Expr,
    pub line: usize,
}

/// `type "label" { … }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    pub kind: String,
    pub labels: Vec<String>,
    pub body: Body,
    pub line: usize,
}

/// An expression, as far as it is understood.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    Null,
    Bool(bool),
    /// As written.
    Number(String),
    Text(String),
    List(Vec<Expr>),
    /// Keys in their order.
    Map(Vec<(String, Expr)>),
    /// A name with its steps, as written.
    Reference(String),
    Call(String, Vec<Expr>),
    /// A string with something put in.
    Join(Vec<Expr>),
    /// Operators, conditions, loops: read, and no more.
    Other,
}

/// A whole file.
#[derive(Debug, Default)]
pub struct File {
    pub body: Body,
    /// Names with their steps, and the lines on which they stand.
    pub references: Vec<(String, usize)>,
}

/// Reads a file; an argument that stands twice in a body is a fault.
pub fn read(text: &str) -> Read<File> {
    let mut reader = Reader::new(text);
    let body = reader.body(0)?;
    Ok(File { body, references: reader.references })
}

impl Body {
    /// The arguments and blocks up to the closing brace, or to the end of the file.
    fn add(&mut self, argument: Argument) -> Read<()> {
        if self.arguments.iter().any(|a| a.name == argument.name) {
            return Err(Fault::new(argument.line, format!("the argument `{}` stands twice", argument.name)));
        }
        self.arguments.push(argument);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_blocks_and_expressions() {
        let text = "# head\nresource \"a\" \"b\" {\n  name  = \"x$${y}\\n\" // end\n  count = var.n > 0 ? 1 : 0\n  meta {\n    \
                    ids = [for k, v in local.m : \"${k}-${v.id}\" if v != null]\n  }\n  values = [\n    yamlencode({\n      \
                    \"a.b\" = 1, c = module.m.out[0].d[\"x\"]\n    }),\n    <<-EOT\n      text ${data.t.u.v}\n    EOT\n    ,\n  ]\n}\n";
        let file = read(text).expect("good");
        let block = &file.body.blocks[0];
        assert_eq!((block.kind.as_str(), block.labels.len(), block.line), ("resource", 2, 2));
        assert_eq!(block.body.arguments[0].value, Expr::Text("x${y}\n".into()));
        assert_eq!(block.body.arguments[1].value, Expr::Other);
        let names: Vec<&str> = file.references.iter().map(|(n, _)| n.as_str()).collect();
        assert_eq!(names, ["var.n", "local.m", "module.m.out[0].d[\"x\"]", "data.t.u.v"]);
        let Expr::List(values) = &block.body.arguments[2].value else { panic!("a list") };
        let Expr::Call(name, args) = &values[0] else { panic!("a call") };
        assert_eq!(name, "yamlencode");
        assert!(matches!(&args[0], Expr::Map(entries) if entries[0].0 == "a.b"));
    }

    #[test]
    fn refuses_what_is_no_hcl() {
        for text in [
            "a = \n",
            "a = 1 b = 2\n",
            "a {\n",
            "a = \"x\n\"\n",
            "a = [1 2]\n",
            "a = 1\na = 2\n",
            "\"a\" = 1\n",
            "a = \"${x\"\n",
            "a = <<EOT\nx\n",
            "}\n",
            "a = {b 1}\n",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
