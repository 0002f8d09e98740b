from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Signed(_message.Message):
    __slots__ = ("kind", "signer", "payload", "signature")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SIGNER_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    kind: str
    signer: str
    payload: bytes
    signature: bytes
    def __init__(self, kind: _Optional[str] = ..., signer: _Optional[str] = ..., payload: _Optional[bytes] = ..., signature: _Optional[bytes] = ...) -> None: ...

class Fault(_message.Message):
    __slots__ = ("code", "party", "message", "remedy")
    CODE_FIELD_NUMBER: _ClassVar[int]
    PARTY_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    REMEDY_FIELD_NUMBER: _ClassVar[int]
    code: str
    party: str
    message: str
    remedy: str
    def __init__(self, code: _Optional[str] = ..., party: _Optional[str] = ..., message: _Optional[str] = ..., remedy: _Optional[str] = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ("session", "member", "stage")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    session: str
    member: str
    stage: str
    def __init__(self, session: _Optional[str] = ..., member: _Optional[str] = ..., stage: _Optional[str] = ...) -> None: ...

class Cancel(_message.Message):
    __slots__ = ("session", "fault")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    session: str
    fault: Fault
    def __init__(self, session: _Optional[str] = ..., fault: _Optional[_Union[Fault, _Mapping]] = ...) -> None: ...

class Shown(_message.Message):
    __slots__ = ("checkpoint", "since", "proof", "member")
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    checkpoint: Signed
    since: int
    proof: _containers.RepeatedScalarFieldContainer[bytes]
    member: str
    def __init__(self, checkpoint: _Optional[_Union[Signed, _Mapping]] = ..., since: _Optional[int] = ..., proof: _Optional[_Iterable[bytes]] = ..., member: _Optional[str] = ...) -> None: ...

class Envelope(_message.Message):
    __slots__ = ("signed", "progress", "cancel", "shown")
    SIGNED_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    CANCEL_FIELD_NUMBER: _ClassVar[int]
    SHOWN_FIELD_NUMBER: _ClassVar[int]
    signed: Signed
    progress: Progress
    cancel: Cancel
    shown: Shown
    def __init__(self, signed: _Optional[_Union[Signed, _Mapping]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., cancel: _Optional[_Union[Cancel, _Mapping]] = ..., shown: _Optional[_Union[Shown, _Mapping]] = ...) -> None: ...

class Opening(_message.Message):
    __slots__ = ("session", "leaf", "n", "n_words", "plan_hash")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    LEAF_FIELD_NUMBER: _ClassVar[int]
    N_FIELD_NUMBER: _ClassVar[int]
    N_WORDS_FIELD_NUMBER: _ClassVar[int]
    PLAN_HASH_FIELD_NUMBER: _ClassVar[int]
    session: str
    leaf: int
    n: int
    n_words: int
    plan_hash: str
    def __init__(self, session: _Optional[str] = ..., leaf: _Optional[int] = ..., n: _Optional[int] = ..., n_words: _Optional[int] = ..., plan_hash: _Optional[str] = ...) -> None: ...

class Outcome(_message.Message):
    __slots__ = ("n", "n_words")
    N_FIELD_NUMBER: _ClassVar[int]
    N_WORDS_FIELD_NUMBER: _ClassVar[int]
    n: int
    n_words: int
    def __init__(self, n: _Optional[int] = ..., n_words: _Optional[int] = ...) -> None: ...

class Online(_message.Message):
    __slots__ = ("members",)
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    members: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, members: _Optional[_Iterable[str]] = ...) -> None: ...
