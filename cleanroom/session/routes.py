"""The names under which members call each other, and the coordinator."""

ATTEND = "Coordinator/Attend"
SUBMIT = "Coordinator/Submit"
STATUS = "Coordinator/Status"
ADD = "Coordinator/Add"
TOTAL = "Coordinator/Total"
CONVERSE = "Coordinator/Converse"
CONTRIBUTE = "Party/Contribute"
ROUNDS = "Party/Rounds"
COLLECT = "Party/Collect"

ACCEPTED = "accepted"  # as a stage: all members have ruled, and nobody refused
LEFT = "left"  # as a stage: of a member without which a session goes on
ABSENT = "absent"  # as a stage: of a member that a rehearsal doesn't reach
