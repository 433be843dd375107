"""What an application declares, whatever kind of thing it is: the application, plugins, all decorators and their checks."""
