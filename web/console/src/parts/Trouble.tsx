import { Alert, Button } from "@mantine/core";
import { say } from "../words";

/** What went wrong, in words, and a way to try again. */
export function Trouble({ text, again }: { text: string; again?: () => void }) {
  return (
    <Alert color="red" role="alert">
      <p>{text}</p>
      {again && (
        <Button variant="light" color="red" size="compact-sm" mt="xs" onClick={again}>
          {say.again}
        </Button>
      )}
    </Alert>
  );
}
