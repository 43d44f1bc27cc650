/// Name of a session for the life of the daemon; a successor gives its sessions other names.
///
/// Tables have names of sessions instead of references: an entry of a table keeps no connection alive.
public struct SessionID: Hashable, Sendable {
    /// Position in the list of sessions.
    let slot: UInt32
    /// The number of earlier sessions at that position.
    let generation: UInt32

    init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }

    /// The daemon itself, as a caller.
    static let daemon = SessionID(slot: .max, generation: 0)
}

extension SessionID: RecordValue {
    func put(_ bytes: inout [UInt8]) {
        (UInt64(slot) << 32 | UInt64(generation)).put(&bytes)
    }

    static func read(_ bytes: inout ArraySlice<UInt8>) throws(RecordProblem) -> SessionID {
        let number = try UInt64.read(&bytes)
        return SessionID(slot: UInt32(number >> 32), generation: UInt32(truncatingIfNeeded: number))
    }
}

/// Values by session: looked up by position, without hashing.
struct SessionMap<Value> {
    private struct Slot {
        var generation: UInt32 = 0
        var value: Value?
    }

    private var slots: [Slot] = []
    private var free: [UInt32] = []
    /// The number of values.
    private(set) var count = 0

    init() {}

    /// Adds a value and names it.
    mutating func add(_ make: (SessionID) -> Value) -> SessionID {
        let slot = free.popLast() ?? UInt32(slots.count)
        if Int(slot) == slots.count { slots.append(Slot()) }
        let id = SessionID(slot: slot, generation: slots[Int(slot)].generation)
        slots[Int(slot)].value = make(id)
        count += 1
        return id
    }

    /// The value of that name; nil when it was removed.
    subscript(id: SessionID) -> Value? {
        guard Int(id.slot) < slots.count, slots[Int(id.slot)].generation == id.generation else { return nil }
        return slots[Int(id.slot)].value
    }

    /// Removes a value; false when there is none of that name.
    @discardableResult
    mutating func remove(_ id: SessionID) -> Bool {
        guard self[id] != nil else { return false }
        slots[Int(id.slot)].value = nil
        slots[Int(id.slot)].generation &+= 1
        free.append(id.slot)
        count -= 1
        return true
    }

    /// All values, in no order.
    var all: [Value] { slots.compactMap(\.value) }
}
