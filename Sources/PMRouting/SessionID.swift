/// Names a session as long as the daemon lives; a successor gives its sessions other names.
///
/// Tables name sessions instead of referring to them: what a table holds keeps no connection alive.
public struct SessionID: Hashable, Sendable {
    /// The place in the list of sessions.
    let slot: UInt32
    /// How many sessions had that place before.
    let generation: UInt32

    init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }

    /// The daemon itself, as the one that made a call.
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

/// Things by the sessions they belong to: looked up by place, so without hashing.
struct SessionMap<Value> {
    private struct Slot {
        var generation: UInt32 = 0
        var value: Value?
    }

    private var slots: [Slot] = []
    private var free: [UInt32] = []
    /// How many there are.
    private(set) var count = 0

    init() {}

    /// Adds a thing and names it.
    mutating func add(_ make: (SessionID) -> Value) -> SessionID {
        let slot = free.popLast() ?? UInt32(slots.count)
        if Int(slot) == slots.count { slots.append(Slot()) }
        let id = SessionID(slot: slot, generation: slots[Int(slot)].generation)
        slots[Int(slot)].value = make(id)
        count += 1
        return id
    }

    /// The thing of that name; nil when it was removed.
    subscript(id: SessionID) -> Value? {
        guard Int(id.slot) < slots.count, slots[Int(id.slot)].generation == id.generation else { return nil }
        return slots[Int(id.slot)].value
    }

    /// Removes a thing; false when there is none of that name.
    @discardableResult
    mutating func remove(_ id: SessionID) -> Bool {
        guard self[id] != nil else { return false }
        slots[Int(id.slot)].value = nil
        slots[Int(id.slot)].generation &+= 1
        free.append(id.slot)
        count -= 1
        return true
    }

    /// All things, in no order.
    var all: [Value] { slots.compactMap(\.value) }
}
