// PMSupervisorTests
