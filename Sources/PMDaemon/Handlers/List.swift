import PMAPI
import PMRouting

/// `ls`: the registered definitions.
struct ListHandler: Handler {
    let units: UnitResolver

    func handle(_ request: List, from session: Session) throws(APIError) -> List.Answer {
        List.Answer(entries: units.configuration.containers.map { .init(name: $0.name, definition: $0.value) })
    }
}
