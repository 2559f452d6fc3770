"""A slave in C: libmodbus serves a small lock board, in a process of its own.

    libmodbus_slave.py tty PATH    or    libmodbus_slave.py tcp

Says `ready PORT` (0 on a tty), then `pulsed DOOR` for each order; a door opens by its order.
"""

import ctypes
import socket
import sys
from ctypes import POINTER, c_char, c_char_p, c_int, c_uint8, c_uint16, c_void_p

DOORS = 16
PULSE = 0x0010  # the register that takes a door's number
ITEMS = 0b0000_0101
LONGEST = 260


class Mapping(ctypes.Structure):
    _fields_ = [
        *((name, c_int) for name in ("nb_bits", "start_bits", "nb_input_bits", "start_input_bits")),
        *((name, c_int) for name in ("nb_input_registers", "start_input_registers")),
        *((name, c_int) for name in ("nb_registers", "start_registers")),
        ("tab_bits", POINTER(c_uint8)),
        ("tab_input_bits", POINTER(c_uint8)),
        ("tab_input_registers", POINTER(c_uint16)),
        ("tab_registers", POINTER(c_uint16)),
    ]


def declared() -> ctypes.CDLL:
    lib = ctypes.CDLL("libmodbus.so.5")
    lib.modbus_new_rtu.argtypes = [c_char_p, c_int, c_char, c_int, c_int]
    lib.modbus_new_tcp.argtypes = [c_char_p, c_int]
    lib.modbus_new_rtu.restype = lib.modbus_new_tcp.restype = c_void_p
    lib.modbus_mapping_new.restype = POINTER(Mapping)
    lib.modbus_set_slave.argtypes = lib.modbus_tcp_listen.argtypes = [c_void_p, c_int]
    lib.modbus_connect.argtypes = lib.modbus_get_header_length.argtypes = [c_void_p]
    lib.modbus_tcp_accept.argtypes = [c_void_p, POINTER(c_int)]
    lib.modbus_receive.argtypes = [c_void_p, POINTER(c_uint8)]
    lib.modbus_reply.argtypes = [c_void_p, POINTER(c_uint8), c_int, POINTER(Mapping)]
    return lib


def say(what: str) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def door_of(order: bytes) -> int:
    """Which door an order means; 0 for a question."""
    function, at, value = order[0], order[1] << 8 | order[2], order[3] << 8 | order[4]
    if function == 5 and value == 0xFF00:
        return at + 1
    return value if (function, at) == (6, PULSE) else 0


def serve(lib: ctypes.CDLL, context: int, board) -> None:
    """Until the connection ends."""
    asked = (c_uint8 * LONGEST)()
    header = lib.modbus_get_header_length(context)
    while (size := lib.modbus_receive(context, asked)) >= 0:
        if size == 0:
            continue  # for another unit
        lib.modbus_reply(context, asked, size, board)
        door = door_of(bytes(asked[header : header + 5]))
        if 1 <= door <= DOORS:
            board.contents.tab_input_bits[door - 1] = 0
            say(f"pulsed {door}")


def main(kind: str, path: str = "") -> None:
    lib = declared()
    board = lib.modbus_mapping_new(DOORS, DOORS, PULSE + 1, 1)
    for door in range(DOORS):
        board.contents.tab_input_bits[door] = 1
    board.contents.tab_input_registers[0] = ITEMS
    if kind == "tty":
        context = lib.modbus_new_rtu(path.encode(), 19200, b"N", 8, 1)
        lib.modbus_set_slave(context, 1)
        assert lib.modbus_connect(context) == 0
        say("ready 0")
        serve(lib, context, board)
        return
    context = lib.modbus_new_tcp(b"127.0.0.1", 0)
    heard = c_int(lib.modbus_tcp_listen(context, 1))
    with socket.socket(fileno=socket.dup(heard.value)) as known:
        say(f"ready {known.getsockname()[1]}")
    while lib.modbus_tcp_accept(context, ctypes.byref(heard)) >= 0:
        serve(lib, context, board)


if __name__ == "__main__":
    main(*sys.argv[1:])
