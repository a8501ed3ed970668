import { Kbd, Modal } from "@mantine/core";
import { say } from "../../words";

export function Keys({ open, close }: { open: boolean; close(): void }) {
  return (
    <Modal
      opened={open}
      onClose={close}
      title={say.moderation.keys}
      closeButtonProps={{ "aria-label": say.close }}
    >
      <dl className="keys">
        {say.moderation.keyList.map(([key, what]) => (
          <div key={key}>
            <dt>
              <Kbd>{key}</Kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
