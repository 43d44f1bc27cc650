/// The requests sent to one peer that wait for their replies: an id of our own for each, and what to do with the reply.
///
/// Adding, finding and taking are O(1). The table is a power of two of slots; the call with id n is in slot n mod size,
/// and an id whose slot is taken is skipped, so ids stay small, are never reused and need no hashing.
public struct PendingCalls<Payload> {
    /// The largest table that is kept when nothing waits.
    @usableFromInline static var keptSlots: Int { 1024 }

    @usableFromInline var ids: [UInt64] = []
    @usableFromInline var payloads: [Payload?] = []
    @usableFromInline var last: UInt64 = 0

    @usableFromInline var waiting = 0

    /// The number of calls without an answer.
    @inlinable public var count: Int { waiting }

    /// An empty table; its ids follow `newest`.
    @inlinable
    public init(after newest: UInt64 = 0) {
        last = newest
    }

    /// True when every call is answered.
    @inlinable public var isEmpty: Bool { count == 0 }

    /// Remembers a call and returns the id to send it with: from 1 upwards, each only once.
    @inlinable
    public mutating func add(_ payload: Payload) -> UInt64 {
        // Half empty, so that a free slot is near.
        if waiting * 2 >= ids.count { grow() }  // bounded: slots of a table in memory
        repeat { last += 1 } while ids[slot(last)] != 0
        ids[slot(last)] = last
        payloads[slot(last)] = payload
        waiting += 1
        return last
    }

    /// The entry of that id, or nil: a late, doubled or invented reply finds nothing. Setting a present one changes it.
    @inlinable
    public subscript(id: UInt64) -> Payload? {
        get { isPresent(id) ? payloads[slot(id)] : nil }
        set {
            guard isPresent(id) else { return }
            if newValue == nil {
                _ = remove(id)
            } else {
                payloads[slot(id)] = newValue
            }
        }
    }

    /// Looks at the entry of an id without copying all of it; nil when there is none.
    @inlinable
    public func look<Result>(_ id: UInt64, _ body: (Payload) -> Result) -> Result? {
        isPresent(id) ? payloads[slot(id)].map(body) : nil
    }

    /// Changes the entry of an id in place, if there is one.
    @inlinable
    public mutating func update(_ id: UInt64, _ change: (inout Payload?) -> Void) {
        guard isPresent(id) else { return }
        change(&payloads[slot(id)])
    }

    /// Forgets the call and returns what waited, or nil.
    @inlinable
    public mutating func remove(_ id: UInt64) -> Payload? {
        guard isPresent(id) else { return nil }
        let payload = payloads[slot(id)].take()
        ids[slot(id)] = 0
        waiting -= 1
        if waiting == 0, ids.count > Self.keptSlots { clear() }
        return payload
    }

    /// Remembers calls with the ids that another table gave them; `newest` is the last id it gave.
    public mutating func restore(_ calls: [(id: UInt64, payload: Payload)], newest: UInt64) {
        last = Swift.max(last, newest)
        for (id, payload) in calls {
            while waiting * 2 >= ids.count || ids[slot(id)] != 0 { grow() }  // bounded: a table in memory
            ids[slot(id)] = id
            payloads[slot(id)] = payload
            waiting += 1
        }
    }

    /// The ids of the calls that fulfil a condition, in no order.
    public func ids(where condition: (Payload) -> Bool) -> [UInt64] {
        guard waiting > 0 else { return [] }
        return zip(ids, payloads).compactMap { id, payload in payload.map(condition) == true ? id : nil }
    }

    /// The last id that was given.
    public var newest: UInt64 { last }

    /// Forgets every call and returns them by age: for a peer that is gone.
    @inlinable
    public mutating func removeAll() -> [(id: UInt64, payload: Payload)] {
        var calls: [(id: UInt64, payload: Payload)] = []
        for (id, payload) in zip(ids, payloads) {
            if let payload { calls.append((id, payload)) }
        }
        clear()
        return calls.sorted { $0.id < $1.id }
    }

    @inlinable @inline(__always)
    func slot(_ id: UInt64) -> Int { Int(truncatingIfNeeded: id) & (ids.count - 1) }

    @inlinable @inline(__always)
    func isPresent(_ id: UInt64) -> Bool { id != 0 && waiting > 0 && ids[slot(id)] == id }

    @inlinable
    mutating func clear() {
        ids = []
        payloads = []
        waiting = 0
    }

    @inlinable
    mutating func grow() {
        let old = zip(ids, payloads)
        let size = Swift.max(8, ids.count * 2)  // bounded: a table in memory
        ids = Array(repeating: 0, count: size)
        payloads = Array(repeating: nil, count: size)
        // Two ids that had slots of their own in the smaller table have them in the larger one too.
        for (id, payload) in old where id != 0 {
            ids[slot(id)] = id
            payloads[slot(id)] = payload
        }
    }
}

/// The text form of the ids `PendingCalls` gives out.
public enum PendingCallID {
    /// The number that these digits are, or nil for anything else: signs, fractions, strings, leading zeros, overflow.
    public static func parse(_ raw: UnsafeRawBufferPointer) -> UInt64? {
        guard let first = raw.first, first != UInt8(ascii: "0"), raw.count <= 19 else { return nil }
        var number: UInt64 = 0
        for byte in raw {
            let digit = byte &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            // bounded: nineteen digits always fit.
            number = number * 10 + UInt64(digit)
        }
        return number
    }
}
