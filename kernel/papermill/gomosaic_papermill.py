"""Parameters of Go notebooks for papermill: its injected cell as Go, and --help-notebook."""
import json
import math
import re

from papermill.engines import NBClientEngine as Engine  # what the entry point names: no engine of our own is needed
from papermill.models import Parameter
from papermill.translators import Translator, papermill_translators

__version__ = "0.1.0"
__all__ = ["Engine", "GoTranslator"]


class GoTranslator(Translator):
    """Values as Go expressions; each parameter is set by :=, which assigns a variable that has the type already, and under
    the directive //gomosaic:parameters also a number to a variable of another numeric type."""

    # One of: alpha := 0.6 // help, var alpha float64 = 0.6, var alpha = 0.6
    PARAMETER = re.compile(r"^\s*(?:var\s+(?P<var>\w+)(?:\s+(?P<type>[^=]+?))?\s*=|(?P<name>\w+)\s*:=)\s*(?P<value>.*?)\s*(?://\s*(?P<help>.*))?$")

    @classmethod
    def translate_none(cls, val):
        return "any(nil)"

    @classmethod
    def translate_int(cls, val):
        return f"uint64({val})" if val >= 1 << 63 else str(val)

    @classmethod
    def translate_float(cls, val):
        if math.isnan(val):
            return "math.NaN()"
        if math.isinf(val):
            return "math.Inf(1)" if val > 0 else "math.Inf(-1)"
        return repr(val)

    @classmethod
    def translate_str(cls, val):
        # JSON's escapes are Go's, but for the two halves of a surrogate pair; a byte order mark must not stand in Go source.
        return json.dumps(val, ensure_ascii=False).replace("\ufeff", r"\ufeff")

    @classmethod
    def translate_list(cls, val):
        return f"[]{cls.element(val)}{{{', '.join(cls.translate(v) for v in val)}}}"

    @classmethod
    def translate_dict(cls, val):
        pairs = ", ".join(f"{cls.translate_str(str(k))}: {cls.translate(v)}" for k, v in val.items())
        return f"map[string]{cls.element(val.values())}{{{pairs}}}"

    @classmethod
    def element(cls, values):
        """The Go type that holds all of the values: numbers of both kinds are float64, other mixtures any."""
        types = {cls.type_of(v) for v in values}
        if types == {"int", "float64"}:
            return "float64"
        return types.pop() if len(types) == 1 else "any"

    @classmethod
    def type_of(cls, val):
        if isinstance(val, list):
            return "[]" + cls.element(val)
        if isinstance(val, dict):
            return "map[string]" + cls.element(val.values())
        if isinstance(val, int) and not isinstance(val, bool) and val >= 1 << 63:
            return "uint64"
        return {bool: "bool", int: "int", float: "float64", type(None): "any"}.get(type(val), "string")

    @classmethod
    def comment(cls, cmt_str):
        return f"// {cmt_str}".strip()

    @classmethod
    def assign(cls, name, str_val):
        return f"{name} := {str_val}"

    @classmethod
    def codify(cls, parameters, comment="Parameters"):
        heading, _, assignments = super().codify(parameters, comment).partition("\n")
        code = f"{heading}\n//gomosaic:parameters\n{assignments}"
        if re.search(r"\bmath\.(NaN|Inf)\(", code):
            code = 'import "math"\n' + code
        return code

    @classmethod
    def inspect(cls, parameters_cell):
        found = []
        for line in parameters_cell["source"].splitlines():
            if m := cls.PARAMETER.match(line):
                found.append(Parameter(name=m["var"] or m["name"], inferred_type_name=m["type"] or "None", default=m["value"], help=m["help"] or ""))
        return found


papermill_translators.register("go", GoTranslator)
