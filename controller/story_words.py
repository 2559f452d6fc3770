"""What journal entries say, in two languages. A value in braces is put into words by the story."""

from typing import Final, Literal

Lang = Literal["zh-CN", "en"]
LANGS: Final[tuple[Lang, Lang]] = ("zh-CN", "en")

# kind, or kind/variant: (简体中文, English)
SENTENCES: Final[dict[str, tuple[str, str]]] = {
    "order.placed": (
        "区里下达了{company}的办件：{items}。",
        "The district placed the order of {company}: {items}.",
    ),
    "order.updated": ("区里更改了办件。", "The district changed the order."),
    "order.cancelled": (
        "区里取消了办件（{reason}）。",
        "The district cancelled the order ({reason}).",
    ),
    "code.replaced": (
        "取件码{replaces}作废，换成{code}。",
        "Pickup code {replaces} was replaced by {code}.",
    ),
    "compartment.open": (
        "区里要求打开{where}号门，原因：{reason}。",
        "The district asked to open door {where}: {reason}.",
    ),
    "compartment.block": (
        "区里停用了{where}号格口，原因：{reason}。",
        "The district took compartment {where} out of use: {reason}.",
    ),
    "compartment.unblock": (
        "区里恢复了{where}号格口。",
        "The district put compartment {where} back to use.",
    ),
    "doubt.settle": (
        "区里{requested_by}、{approved_by}判定{item}{outcome}，原因：{reason}（决定{intent}）。",
        "{requested_by} and {approved_by} said of the {item}: {outcome}, {reason} ({intent}).",
    ),
    "item.return": ("区里要求取回{item}。", "The district asked for the {item} to be taken back."),
    "movement.intended/load": (
        "决定打开{where}号门投放{item}（决定{intent}，工牌{badge}）。",
        "Door {where} was to be opened to load the {item} (decision {intent}, badge {badge}).",
    ),
    "movement.intended/load/machine": (
        "决定由{where}收存{item}（决定{intent}，工牌{badge}）。",
        "{where} was to take the {item} in (decision {intent}, badge {badge}).",
    ),
    "movement.intended/return/machine": (
        "决定由{where}送出{item}，由工作人员取回（决定{intent}，工牌{badge}）。",
        "{where} was to hand the {item} out to be taken back (decision {intent}, badge {badge}).",
    ),
    "movement.intended/undo/machine": (
        "决定由{where}退回刚收存的{item}（决定{intent}，工牌{badge}）。",
        "{where} was to give back the {item} just taken in (decision {intent}, badge {badge}).",
    ),
    "movement.intended/collect": (
        "决定打开{where}号门，由取件人领取{item}（决定{intent}）。",
        "Door {where} was to be opened to collect the {item} (decision {intent}).",
    ),
    "movement.intended/reopen": (
        "取件人要求再打开一次{where}号门（决定{intent}）。",
        "The recipient asked for door {where} once more (decision {intent}).",
    ),
    "movement.intended/present": (
        "决定由{where}送出{item}（决定{intent}）。",
        "{where} was to hand out the {item} (decision {intent}).",
    ),
    "movement.intended/retract": (
        "决定由{where}收回没有取走的{item}（决定{intent}）。",
        "{where} was to take back the {item} that nobody took (decision {intent}).",
    ),
    "movement.intended/return": (
        "决定打开{where}号门取回{item}（决定{intent}，工牌{badge}）。",
        "Door {where} was to be opened to take the {item} back (decision {intent}, badge {badge}).",
    ),
    "movement.intended/remote": (
        "应区里要求打开{where}号门（决定{intent}，要求{command}），原因：{reason}。",
        "The district's request {command} was to open door {where}: {reason} (decision {intent}).",
    ),
    "movement.intended": (
        "决定动作{where}，原因：{reason}（决定{intent}）。",
        "{where} was to be moved: {reason} (decision {intent}).",
    ),
    "movement.settled/moved": (
        "决定{intent}已执行，{where}动过，由{seen_by}确认。",
        "Decision {intent} moved {where}, as {seen_by} shows.",
    ),
    "movement.settled/not_moved": (
        "决定{intent}没有执行，{where}肯定没有动。",
        "Decision {intent} came to nothing: {where} certainly did not move.",
    ),
    "movement.settled/unknown": (
        "决定{intent}是否执行不明，{where}是否动过没有人知道。",
        "Decision {intent}: nobody knows whether {where} moved.",
    ),
    "item.loaded": (
        "{item}已放在{where}，由{by}确认。",
        "The {item} lies in {where}, as {by} shows.",
    ),
    "item.collected": (
        "{item}已从{where}领走，由{by}确认，取件码{code}。",
        "The {item} was collected from {where}, as {by} shows, with code {code}.",
    ),
    "item.returned": (
        "{item}已从{where}取回，由{by}确认。",
        "The {item} was taken back from {where}, as {by} shows.",
    ),
    "item.expected": (
        "{item}已从{where}取出，等待重新投放。",
        "The {item} was taken out of {where} and will be loaded again.",
    ),
    "item.missing": (
        "{item}不在{where}，没有人找到。",
        "The {item} is not in {where}, and nobody found it.",
    ),
    "machine.adopted": (
        "工作人员确认了{machine}现在的编号。",
        "Staff took over the number at which {machine} stands.",
    ),
    "item.stayed": (
        "{where}没有放入也没有取出物件，由{by}确认。",
        "Nothing went into {where} or came out of it, as {by} shows.",
    ),
    "pickup.ready": (
        "物件到齐，可以领取，保留到{expires_at}。",
        "Everything is here and can be collected until {expires_at}.",
    ),
    "pickup.started": (
        "有人出示了取件码{code}，开始领取（会话{session}）。",
        "Somebody came with code {code} (visit {session}).",
    ),
    "pickup.completed": (
        "全部领齐，取件码已用完（会话{session}）。",
        "All was taken and the code is spent (visit {session}).",
    ),
    "pickup.ended": (
        "会话{session}结束，还有{left}件没有领，取件码仍然有效。",
        "Visit {session} ended; {left} left, for which the code is good.",
    ),
    "pickup.overdue": (
        "保留期已过，取件码在取回之前仍然有效。",
        "The time to collect is over; the code is good until it is taken back.",
    ),
    "pickup.reopened": ("{where}号门再次打开。", "Door {where} was opened once more."),
    "deadline.extended": (
        "保留期延长到{expires_at}。",
        "The time to collect was extended to {expires_at}.",
    ),
    "problem.reported": (
        "有人报告问题：{what}，编号{case}。",
        "Somebody reported a problem: {what}, case {case}.",
    ),
    "problem.solved": ("问题已处理，编号{case}。", "Case {case} is settled."),
    "feedback.rated": ("评价：{stars}星。", "Rated {stars} of 5."),
    "door.opened": ("{where}号门开了。", "Door {where} opened."),
    "door.closed": ("{where}号门关了。", "Door {where} fell shut."),
    "door.forced": (
        "{where}号门在没有决定的情况下开了。",
        "Door {where} opened though nobody had decided it.",
    ),
    "door.forced/maintenance": (
        "维护期间{where}号门用钥匙打开。",
        "Door {where} was opened with the key, in maintenance.",
    ),
    "maintenance.began": (
        "{where}柜开始维护，到{until}为止，原因：{reason}（工牌{badge}）。",
        "Maintenance of cabinet {where} began, until {until}: {reason} (badge {badge}).",
    ),
    "maintenance.ended": ("{where}柜维护结束。", "Maintenance of cabinet {where} ended."),
    "door.ajar": ("{where}号门一直没有关。", "Door {where} was left open."),
    "door.unknown": (
        "看不到{where}号门了（锁控板没有应答）。",
        "Door {where} could no longer be seen.",
    ),
    "doors.unknown": (
        "看不到这些门了（锁控板没有应答）：{doors}。",
        "Doors that could no longer be seen: {doors}.",
    ),
    "doors.closed": ("又看到这些门，都关着：{doors}。", "Doors seen again, and shut: {doors}."),
    "door.contradicted": (
        "{where}号门动过（由{by}确认），门的开关却没有反应。",
        "Door {where} moved, as {by} shows; its switch did not show it.",
    ),
    "lock.rested": (
        "{where}号门放行后没有人打开，门锁已落回。",
        "Door {where} was released and nobody used it; its bolt fell back.",
    ),
    "lock.counted": (
        "{where}号门：门锁连续卡住{jams}次，开关不符{contradicted}次。",
        "Door {where}: its lock jammed {jams} times in a row, its switch was wrong {contradicted}.",
    ),
    "compartment.fault": (
        "{where}号格口停止使用：{reason}。",
        "Compartment {where} is out of use: {reason}.",
    ),
    "compartment.restored": (
        "{where}号格口恢复使用：{reason}。",
        "Compartment {where} is in use again: {reason}.",
    ),
    "machine.changed": ("{machine}的状态：{state}。", "{machine} is {state}."),
    "alarm.raised": ("报警：{where}{kind}。", "Alarm: {kind} at {where}."),
    "alarm.cleared": ("报警解除：{where}{kind}。", "Alarm over: {kind} at {where}."),
    "alarm.acknowledged": (
        "报警已有人处理：{where}{kind}。",
        "Somebody looks after the alarm: {kind} at {where}.",
    ),
    "command.done": ("区里的要求已执行。", "What the district asked was done."),
    "command.done/staff_look": (
        "区里的要求已执行，门已打开；没有传感器，里面还有没有物件要由工作人员到场查看。",
        "The door opened as the district asked. No sensor says what is left: staff must look.",
    ),
    "command.failed": (
        "区里的要求没有执行成功：{reason}。",
        "What the district asked failed: {reason}.",
    ),
    "command.unknown": (
        "区里的要求是否执行不明。",
        "Nobody knows whether what the district asked was done.",
    ),
    "command.refused": (
        "网点没有接受区里的要求：{reason}。",
        "The site refused what the district asked: {reason}.",
    ),
    "command.expired": (
        "区里的要求过期，没有执行。",
        "What the district asked came too late and was not done.",
    ),
}

WORDS: Final[dict[str, tuple[str, str]]] = {
    "business_licence": ("营业执照", "business licence"),
    "seal_set": ("印章", "seal set"),
    "door": ("门的开关", "the door's switch"),
    "sensor": ("物件传感器", "the item sensor"),
    "machine": ("领证机", "the machine"),
    "person": ("在场的人", "the person there"),
    "missing": ("缺件", "something is missing"),
    "wrong": ("错件", "something is not theirs"),
    "damaged": ("破损", "something is damaged"),
    "will_not_open": ("门打不开", "the door does not open"),
    "will_not_close": ("门关不上", "the door does not close"),
    "something_is_wrong": ("有问题", "something is wrong"),
    "unsure": ("说不清", "nobody is sure"),
    "unexplained": ("无法说明", "something unexplained"),
    "item_left": ("有物件留下", "something left inside"),
    "item_missing": ("物件不见了", "an item that is missing"),
    "lock_jammed": ("锁卡住", "a jammed lock"),
    "crosswired": ("开了另一扇门", "another door than the one released"),
    "switch_fault": ("门的开关不准", "a door switch that does not tell the truth"),
    "door_ajar": ("门没有关", "a door left open"),
    "door_forced": ("门被强行打开", "a forced door"),
    "board_silent": ("锁控板没有应答", "a silent board"),
    "bus_down": ("线路中断", "a line that is down"),
    "machine_fault": ("领证机故障", "a machine fault"),
    "maintenance": ("维护", "maintenance"),
    "fire": ("火警", "a fire alarm"),
    "repair": ("维修", "repair"),
    "cleaning": ("清洁", "cleaning"),
    "check": ("检查", "a check"),
    "other_work": ("其他工作", "other work"),
    "something": ("物件", "item"),
    "door_not_opened": ("门没有打开", "the door did not open"),
    "door_open": ("门已经开着", "the door is open already"),
    "door_out_of_use": ("格口停用", "the compartment is out of use"),
    "needs_two": ("格口有物件，需要两个人同意", "something lies there, and two people must agree"),
    "remote_cap": ("本小时开门次数已到上限", "so many doors an hour and no more"),
    "time_doubted": ("网点时钟不可信", "the site's clock is not to be believed"),
    "place_unknown": ("没有这个格口", "there is no such compartment"),
    "out_of_service": ("网点停止服务", "the site is out of service"),
    "inside": ("仍在里面", "still inside"),
    "with_recipient": ("已在取件人手中", "in the recipient's hands"),
    "in_hand": ("已取出，将重新投放", "taken out, to be loaded anew"),
    "to_window": ("转到窗口", "taken to the window"),
    "stale_decision": ("情况已经变化", "things are otherwise by now"),
    "sensor_disagrees": ("传感器看到的不同", "a sensor sees it otherwise"),
    "client_request": ("委托方要求", "asked for by the client"),
}

STATES: Final[dict[str, tuple[str, str]]] = {
    "expected": ("{item}：还没有投放。", "{item}: not brought yet."),
    "loaded": ("{item}：在{where}。", "{item}: in {where}."),
    "releasing": (
        "{item}：可能已从{where}取出，结果不明。",
        "{item}: perhaps taken out of {where}, nobody knows.",
    ),
    "collected": ("{item}：已领走。", "{item}: collected."),
    "returned": ("{item}：已取回。", "{item}: taken back."),
    "cancelled": ("{item}：办件已取消，未投放。", "{item}: cancelled before it was brought."),
    "return_requested": (
        "{item}：办件已取消，在{where}等待取回。",
        "{item}: cancelled, waits in {where} to be taken back.",
    ),
    "door": ("{where}号门：{state}。", "Door {where}: {state}."),
    "door.opened": ("开着", "open"),
    "door.closed": ("关着", "shut"),
    "door.forced": ("被强行打开", "forced open"),
    "door.unknown": ("看不到", "not seen"),
    "door.never": ("从未见过", "never seen"),
}
