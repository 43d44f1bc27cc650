public import JSON
public import PMModel

/// All that pm knows of a failure of a service: what ended it, where the fault is, what came before, and the next step.
public struct FailureCard: Equatable, Sendable {
    /// The service, or one of its instances.
    public var service: String
    /// The exit: why and when, the fault, the last output, what the readiness check saw, and the exits before.
    public var death: DeathRecord
    /// Time until pm tries to start it again; nil: no time is set.
    public var nextTry: Duration?
    /// The next step for a person.
    public var nextStep: String

    /// Makes the card of an exit, with the next step that it asks for.
    public init(_ service: String, _ death: DeathRecord, nextTry: Duration? = nil) {
        (self.service, self.death, self.nextTry) = (service, death, nextTry)
        nextStep = NextStep(service: service, death: death).sentence
    }
}

extension UnitStatus {
    /// The failure that keeps it from being ready; nil: there is none.
    public var failure: FailureCard? {
        guard !isReady, let lastExit, !lastExit.wasRequested, lastExit.reason.isFailure else { return nil }
        return FailureCard(name, lastExit, nextTry: nextTry)
    }
}

extension APIError {
    private static let cardMember = "failure"

    /// The failure of a service that the error is about; nil: it is about something else.
    public var failure: FailureCard? {
        // What another version calls so is shown as any other member.
        get { details[Self.cardMember].flatMap { try? FailureCard(json: $0) } }
        set { details[Self.cardMember] = newValue?.json }
    }
}

extension FailureCard: WireValue {
    /// Reads a card; throws a 502 for an unknown reason of the exit.
    public init(json: JSONValue) throws(APIError) {
        self.init(json["service"]?.string ?? "", try DeathRecord(json: json))
        nextTry = json["nextTryMs"]?.int.map { .milliseconds($0) }
        nextStep = json["nextStep"]?.string ?? nextStep
    }

    /// JSON on the wire: the members of a death record, and `service`, `nextTryMs`, `nextStep`.
    public var json: JSONValue {
        var members = JSONObject([("service", .string(service))])
        for (key, value) in death.json.object ?? JSONObject() { members[key] = value }
        if let nextTry { members["nextTryMs"] = JSONValue(Int(nextTry.milliseconds)) }
        members["nextStep"] = .string(nextStep)
        return .object(members)
    }
}
