"""Resources: classes that are exposed over HTTP, their operations, and the stages that a request of one passes."""
