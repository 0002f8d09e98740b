"""How SQL values become unsigned bits and signed integers, inside the owner's own SQL.

Rule: the order of the bits is the order of the values (a hash excepted), and both sides of a
comparison use one encoding. NULL is a bit of its own beside bits that are all zero.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Literal

from sqlglot import exp

from cleanroom.contract.types import Kind, SqlType
from cleanroom.errors import UnsupportedQuery
from cleanroom.plan.conditions import Comparison
from cleanroom.sql.domain import Domain
from cleanroom.sql.render import cast, constant, function

HASH_BITS = 96  # two of 2^24 keys collide with a probability below 2^-48
SHORT_TEXT = 12  # bytes; longer keys are hashed


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a column travels: which bits, and what they mean."""

    kind: Literal["number", "code", "bytes", "hash"]
    domain: Domain

    @property
    def bits(self) -> int:
        match self.kind:
            case "hash":
                return HASH_BITS
            case "bytes":
                return 8 * max(self.domain.max_bytes, 1)
        return max(1, (self.domain.high - self.domain.low).bit_length())

    @property
    def low(self) -> int:
        return self.domain.low if self.kind == "number" else 0


def choose(domain: Domain, *, opened: bool = False, ordered: bool = False) -> Encoding:
    """Choose the cheapest encoding for values that are compared.

    Args:
        opened: the value is shown to the recipient, so it must be recoverable.
        ordered: `<` must work, not only `=`.

    Raises:
        UnsupportedQuery: for floating point, and ranges beyond 64 bits.
    """
    if domain.kind is None:
        raise UnsupportedQuery("a floating point or NULL expression as key or in a comparison")
    if domain.kind is Kind.TEXT:
        if domain.values:
            return Encoding("code", domain)
        plain = opened or ordered or domain.max_bytes <= SHORT_TEXT
        return Encoding("bytes" if plain else "hash", domain)
    encoding = Encoding("number", domain)
    if encoding.bits > 64:
        raise UnsupportedQuery("a comparison of values that need more than 64 bits")
    return encoding


def integer(value: exp.Expr, domain: Domain, scale: int) -> exp.Expr:
    """Write the encoded integer of a value as HUGEINT."""
    match domain.kind:
        case Kind.DECIMAL:
            exact = cast(value, f"DECIMAL(38,{domain.scale})")  # 128 bits: no overflow
            value = exp.Mul(this=exact, expression=constant(10**scale))
        case Kind.INTEGER if scale:
            value = exp.Mul(this=cast(value, "HUGEINT"), expression=constant(10**scale))
        case Kind.DATE:
            value = exp.Sub(this=value, expression=cast(constant("1970-01-01"), "DATE"))
        case Kind.TIMESTAMP:
            value = function("epoch_us", value)
    return cast(value, "HUGEINT")


def words(
    value: exp.Expr, own: Domain, encoding: Encoding, *, nullable: bool
) -> list[exp.Expr]:
    """Write the 64-bit words of a value, most significant first; all zero for NULL.

    Args:
        own: the value's domain; `encoding` may be wider to suit the other side.
    """
    found = _words(value, own, encoding)
    return [function("coalesce", word, constant(0)) for word in found] if nullable else found


def hashed(value: exp.Expr, bits: int) -> list[exp.Expr]:
    """Write the 64-bit words of a text's hash, keyed by `text_key`: a multiple of 4 bits."""
    keyed = exp.DPipe(this=exp.Placeholder(this="text_key"), expression=value)
    return _from_hex(function("sha256", keyed), bits // 4)


def _words(value: exp.Expr, own: Domain, encoding: Encoding) -> list[exp.Expr]:
    match encoding.kind:
        case "code":
            values = [exp.Literal.string(v) for v in encoding.domain.values]
            enum = exp.DataType(this=exp.DType.ENUM, expressions=values)
            return [cast(function("enum_code", exp.Cast(this=value, to=enum)), "UBIGINT")]
        case "number":
            encoded = integer(value, own, encoding.domain.scale)
            if encoding.low:
                encoded = exp.Sub(this=encoded, expression=constant(encoding.low))
            return [cast(encoded, "UBIGINT")]
        case "bytes":
            digits = 2 * max(encoding.domain.max_bytes, 1)
            raw = function("hex", function("encode", value))
            return _from_hex(function("rpad", raw, constant(digits), constant("0")), digits)
    return hashed(value, HASH_BITS)


def _from_hex(text: exp.Expr, digits: int) -> list[exp.Expr]:
    first = digits % 16 or 16
    cuts = [(1, first), *((start, 16) for start in range(first + 1, digits + 1, 16))]
    parts = [function("substr", text, constant(start), constant(n)) for start, n in cuts]
    numbers = [exp.DPipe(this=constant("0x"), expression=part) for part in parts]
    return [cast(exp.paren(number), "UBIGINT") for number in numbers]


def compare_constant(op: Comparison, value: object, encoding: Encoding) -> tuple[Comparison, int]:
    """Turn `column op value` into a comparison with encoded bits, low subtracted.

    A value between or beyond the encodable ones becomes a comparison of the same truth.
    """
    below, up_to, top = _place(value, encoding)
    exact = up_to > below
    always: tuple[Comparison, int] = (">=", 0)
    never: tuple[Comparison, int] = ("<", 0)
    match op:
        case "=" | "<>" if exact:
            return op, below
        case "=":
            return never
        case "<>":
            return always
        case "<" | ">=":
            cut = below
        case _:
            cut = up_to
    if op in ("<", "<="):
        return always if cut >= top else ("<", cut)
    return never if cut >= top else (">=", cut)


def _place(value: object, encoding: Encoding) -> tuple[int, int, int]:
    """Count the encodable values below `value`, those up to it, and all."""
    domain = encoding.domain
    match encoding.kind:
        case "code":
            keys = [v.encode() for v in domain.values]
            raw = str(value).encode()
            return bisect_left(keys, raw), bisect_right(keys, raw), len(keys)
        case "bytes":
            width = max(domain.max_bytes, 1)
            raw = str(value).encode()
            number = int.from_bytes(raw[:width].ljust(width, b"\0"), "big")
            fits = len(raw) <= width
            return number + (not fits), number + 1, 1 << (8 * width)
        case "number" if domain.kind is not None:
            top = domain.high - domain.low + 1
            if isinstance(value, int | Decimal) and not isinstance(value, bool):
                exact = Decimal(value).scaleb(domain.scale)
                floor = int(exact.to_integral_value(ROUND_FLOOR))
                below = floor - domain.low + (exact != floor)
                up_to = floor - domain.low + 1
            else:
                below = SqlType(domain.kind).encode(value) - domain.low
                up_to = below + 1
            return min(max(below, 0), top), min(max(up_to, 0), top), top
    raise UnsupportedQuery("a hashed text compared with a constant after aggregation")
